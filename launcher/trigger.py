"""`./run trigger payment.completed`: make it happen, at a running product and its sandbox."""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from launcher.environment import HOME, data_dir_of, installation_at, outer_environment, product_environment
from launcher.http import Refused
from launcher.stage import CURRENCIES, Stage

ORDER = {"customer_name": "John Doe", "customer_email": "john@example.com", "amount": 50.00}
AMOUNT_MINOR = 5000
# What the customer does on the gateway's page, so that this follows.
OUTCOMES = {
    "payment.completed": "success",
    "payment.failed": "decline",
    "payment.review": "other_amount",
}
STATUSES = {name: name.partition(".")[2] for name in OUTCOMES}
WITHIN_S = 60.0
LOOK_EVERY_S = 0.25
AN_HOUR_S = 3_700  # By then the product has looked back at what was paid.


class Trigger(Stage):
    """One payment, and what is done to it."""

    def make(self, event: str, gateway: str) -> str:
        """Let an event happen; return the payment's id. Raises Refused when it did not."""
        payment = self._create(gateway)
        if event == "payment.created":
            return payment["id"]
        outcome = OUTCOMES.get(event, "success")
        reference = self._pay(payment, gateway, outcome)
        self._wait(payment["id"], STATUSES.get(event, "completed"))
        if after := AFTERWARDS.get(event):
            self.tell_sandbox(*after(gateway, reference))
            self._wait(payment["id"], "refunded" if event.startswith("payment.refunded") else "disputed")
        return payment["id"]

    def _create(self, gateway: str) -> dict[str, str]:
        order = {**ORDER, "currency": CURRENCIES.get(gateway, "NGN")}
        payment: dict[str, str] = self.client.post(f"{self.product}/api/v1/payments", order).json()["payment"]
        return payment

    def _pay(self, payment: dict[str, str], gateway: str, outcome: str) -> str:
        page = self.press(payment["checkout_url"], gateway)
        reference = self.reference_of(payment["id"], gateway, page)
        more = {"amount_minor": AMOUNT_MINOR - 100} if outcome == "other_amount" else {}
        self.tell_sandbox("pay", {"gateway": gateway, "reference": reference, "outcome": outcome, **more})
        return reference

    def _wait(self, payment_id: str, status: str) -> None:
        deadline = time.monotonic() + WITHIN_S
        began, has_advanced = time.monotonic(), False
        while (found := self._status(payment_id)) != status:
            if time.monotonic() > deadline:
                raise Refused(f"{payment_id} is {found} and not {status} after {WITHIN_S:.0f} s.")
            if status in ("refunded", "disputed") and not has_advanced and time.monotonic() - began > 5:
                self.advance_clocks(AN_HOUR_S)
                has_advanced = True
            time.sleep(LOOK_EVERY_S)

    def _status(self, payment_id: str) -> str:
        return str(
            self.client.get(f"{self.product}/api/v1/payments/{payment_id}").json()["payment"]["status"]
        )


def _refund(gateway: str, reference: str) -> tuple[str, dict[str, object]]:
    about = {"gateway": gateway, "reference": reference}
    return "refund", {**about, "amount_minor": AMOUNT_MINOR, "outcome": "success"}


def _dispute(gateway: str, reference: str) -> tuple[str, dict[str, object]]:
    return "dispute", {"gateway": gateway, "reference": reference, "action": "open"}


AFTERWARDS: dict[str, Callable[[str, str], tuple[str, dict[str, object]]]] = {
    "payment.refunded": _refund,
    "dispute.opened": _dispute,
}
EVENTS = ("payment.created", *OUTCOMES, *AFTERWARDS)


def main() -> int:
    """Let it happen; 0 when it has."""
    options = _options()
    outer = outer_environment()
    installation = installation_at(HOME / options.data_dir if options.data_dir else data_dir_of(outer))
    stage = Trigger(installation.url, installation.sandbox_url, product_environment(installation, outer))
    try:
        payment_id = stage.make(options.event, options.gateway)
    except Refused as reason:
        print(f"It did not happen: {reason}\nIs `./run` running, with its sandbox?", file=sys.stderr)
        return 1
    print(f"{options.event} happened: {payment_id}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run trigger", description=__doc__)
    parser.add_argument("event", choices=EVENTS)
    parser.add_argument("--gateway", default="paystack", choices=["paystack", "flutterwave", "paypal"])
    parser.add_argument("--data-dir", type=Path, help="the running product's data (var)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
