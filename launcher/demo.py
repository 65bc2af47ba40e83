"""`./run demo`: one whole payment over HTTP, as a shop and its customer make it, told as a timeline."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from launcher.environment import (
    HOME,
    Environment,
    Installation,
    data_dir_of,
    installation_at,
    outer_environment,
    private_environment,
    product_environment,
)
from launcher.http import Refused
from launcher.product import NotStarted, Product, Stopped, free_ports
from launcher.recurring_demo import play_a_year
from launcher.stage import CURRENCIES, Stage

ORDER = {"customer_name": "John Doe", "customer_email": "john@example.com", "amount": 50.00}
AMOUNT_MINOR = 5000
# What a fault strikes: the call by which the product learns, or makes, that the money has moved.
STRUCK = {"paystack": "verify", "flutterwave": "verify", "paypal": "capture"}
FINAL = {"completed", "review", "canceled"}  # After these, waiting changes nothing.
# A hung gateway holds a question for 45 s, so a demo with a fault may wait longer.
PATIENCE_S, PATIENCE_WITH_FAULT_S, PATIENCE_WITH_EVENT_S = 30.0, 150.0, 5.0
POLL_EVERY_S = 0.25
ADVANCE_AFTER_S, ADVANCE_EVERY_S = 15.0, 5.0
ADVANCE_BY_S, A_DAY_S = 300, 86_400


@dataclass(frozen=True, kw_only=True)
class End:
    """How a payment should end, what the gateway should have taken by then, and how far clocks are moved."""

    status: str = "completed"
    taken: tuple[int, ...] = (AMOUNT_MINOR,)
    advance_s: int = ADVANCE_BY_S


# After any fault that is not named here, the payment must complete.
LIES = {"wrong_amount": End(status="review"), "wrong_currency": End(status="review")}
# A fault of PayPal's capture is no lie about the money: it is what happens to it.
DEEDS = {
    "decline": End(status="failed", taken=()),
    "pending": End(advance_s=A_DAY_S),  # So long does PayPal look into it.
    "wrong_amount": End(status="review", taken=(100 * AMOUNT_MINOR,)),
    "wrong_currency": End(status="review"),
}
ENDS = {"paystack": LIES, "flutterwave": LIES, "paypal": DEEDS}


class Demo(Stage):
    """One payment on its way, and the timeline printed as it goes."""

    def __init__(self, installation: Installation, env: Environment, options: argparse.Namespace) -> None:
        product, sandbox = options.url or installation.url, options.sandbox_url or installation.sandbox_url
        super().__init__(product, sandbox, env)
        self.gateway: str = options.gateway
        self.fault: str = options.fault
        self._end = ENDS[self.gateway].get(self.fault, End())
        self._seen: set[str] = set()

    def run(self) -> bool:
        """Pay once; True when the payment ended as it should and the gateway took the money once."""
        payment = self._create()
        self._plan_fault()
        reference = self._check_out(payment)
        self.tell_sandbox("pay", {"gateway": self.gateway, "reference": reference, "outcome": "success"})
        self.say("paid", "by the customer, on the gateway's page")
        ended = self._wait(payment["id"], reference)
        return self._judge(ended) & self._fault_struck() & self._money_moved_rightly(reference)

    def _create(self) -> dict[str, Any]:
        currency = CURRENCIES.get(self.gateway)
        order = {**ORDER, "currency": currency} if currency else ORDER
        answer = self.client.post(f"{self.product}/api/v1/payments", order)
        payment: dict[str, Any] = answer.json()["payment"]
        self.say("created", f"{payment['id']}, {payment['amount']:.2f} {payment['currency']}")
        return payment

    def _plan_fault(self) -> None:
        if not self.fault:
            return
        struck = "event" if self.fault.startswith("event_") else STRUCK[self.gateway]
        match = f"{self.gateway}.{struck}"
        # Two questions may be on their way at once; where one true answer would do, none may be true.
        lasts = self._end.status != "completed"
        plan = {"match": match, "nth": 1, "times": 0 if lasts else 1, "fault": self.fault, "args": {}}
        self.tell_sandbox("faults", {"faults": [plan]})
        self.say("fault", f"{'every' if lasts else 'the first'} {match} will suffer {self.fault}")

    def _check_out(self, payment: dict[str, Any]) -> str:
        url: str = payment["checkout_url"]
        self.say("checkout", "the customer opens the page")
        page = self.press(url, self.gateway)
        self.say("session", f"redirected to {page}")
        return self.reference_of(payment["id"], self.gateway, page)

    def _wait(self, payment_id: str, reference: str) -> dict[str, Any]:
        paid_at = time.monotonic()
        until = paid_at + (PATIENCE_WITH_FAULT_S if self.fault else PATIENCE_S)
        advance_at = paid_at + ADVANCE_AFTER_S
        while True:
            payment: dict[str, Any] = self._payment(payment_id)
            self._show_events(reference)
            if payment["status"] in {self._end.status, *FINAL} or time.monotonic() > until:
                self._await_event(reference)
                return payment
            if time.monotonic() > advance_at:
                step_s = self._end.advance_s
                self.advance_clocks(step_s)
                self.say("clock", f"product and sandbox {step_s} s on, so that the next question is due")
                advance_at = time.monotonic() + ADVANCE_EVERY_S
            time.sleep(POLL_EVERY_S)

    def _await_event(self, reference: str) -> None:
        """The browser's return may have settled it before the gateway's event arrives."""
        until = time.monotonic() + PATIENCE_WITH_EVENT_S
        while not self._seen and time.monotonic() < until:
            time.sleep(POLL_EVERY_S)
            self._show_events(reference)

    def _payment(self, payment_id: str) -> dict[str, Any]:
        payment: dict[str, Any] = self.client.get(f"{self.product}/api/v1/payments/{payment_id}").json()[
            "payment"
        ]
        return payment

    def _show_events(self, reference: str) -> None:
        for event in self.ask_sandbox("events")["events"]:
            state = f"{event['status']}, answer {event['last_answer'] or 'none yet'}"
            line = f"#{event['id']} {event['type']} {'forged, ' if event['forged'] else ''}{state}"
            if event["reference"] == reference and event["status"] != "waiting" and line not in self._seen:
                self._seen.add(line)
                self.say("webhook", line)

    def _judge(self, payment: dict[str, Any]) -> bool:
        status = payment["status"]
        if status == "completed" and payment["completed_at"]:
            self.say("verified", "the gateway confirmed amount, currency and reference when asked")
        self.say(status, f"completed_at {payment['completed_at']}" if payment["completed_at"] else "")
        good: bool = status == self._end.status
        if not good:
            self.say("wrong", f"it should have ended {self._end.status}")
        return good

    def _fault_struck(self) -> bool:
        """Take the fault away; a demo of one that never struck has shown nothing."""
        if not self.fault:
            return True
        planned = self.ask_sandbox("faults")["faults"]
        struck = any(fault["hits"] for fault in planned if fault["fault"] == self.fault)
        self.client.submit(f"{self.sandbox}/control/faults", {"clear": "1"})
        if not struck:
            self.say("wrong", f"{self.fault} never struck")
        return struck

    def _money_moved_rightly(self, reference: str) -> bool:
        entries = self.ask_sandbox("journal")["entries"]
        charges = [
            entry for entry in entries if entry["reference"] == reference and entry["kind"] == "charge"
        ]
        taken = tuple(entry["amount_minor"] for entry in charges if entry["ok"])
        right = taken == self._end.taken
        self.say("journal", f"the gateway took {_amounts(taken)}{'' if right else ', which is wrong'}")
        return right


def _amounts(taken: tuple[int, ...]) -> str:
    if taken == (AMOUNT_MINOR,):
        return "the money once"
    return " and ".join(f"{minor} minor units" for minor in taken) or "nothing"


def main() -> int:
    """Run the demo; 0 only if the payment ended as it should."""
    options = _options()
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # Ends as Ctrl-C does: everything is cleared away.
    try:
        if options.recurring:
            with _private_product() as (installation, env):
                good = play_a_year(installation, env, options.gateway)
        elif options.url:
            good = Demo(*_running(options), options).run()
        else:
            with _private_product() as (installation, env):
                good = Demo(installation, env, options).run()
    except (Refused, NotStarted) as reason:
        print(f"The demo failed: {reason}", file=sys.stderr)
        return 1
    except (Stopped, KeyboardInterrupt):
        return 130
    what = "year" if options.recurring else "payment"
    print(f"The {what} ended as it should." if good else f"The {what} did NOT end as it should.")
    return 0 if good else 1


def _running(options: argparse.Namespace) -> tuple[Installation, Environment]:
    outer = outer_environment()
    installation = installation_at(HOME / options.data_dir if options.data_dir else data_dir_of(outer))
    return installation, product_environment(installation, outer)


@contextmanager
def _private_product() -> Iterator[tuple[Installation, Environment]]:
    with tempfile.TemporaryDirectory(prefix="tillgate-demo-") as folder, tempfile.TemporaryFile() as output:
        port, sandbox_port = free_ports(2)
        installation = Installation(data_dir=Path(folder) / "var", port=port, sandbox_port=sandbox_port)
        outer = private_environment()
        product = Product(installation, outer, output)
        began = time.monotonic()
        try:
            product.start()
            print(f"A private product is ready on {installation.url} after {time.monotonic() - began:.1f} s.")
            yield installation, product_environment(installation, outer)
        except (NotStarted, Refused):
            _show_tail(output)
            raise
        finally:
            product.stop()


def _show_tail(output: IO[bytes]) -> None:
    output.seek(0)
    for line in output.read().decode(errors="replace").splitlines()[-20:]:
        print(f"  | {line}", file=sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__)
    parser.add_argument(
        "--gateway", default="paystack", choices=list(STRUCK), help="which gateway is paid through"
    )
    parser.add_argument(
        "--fault",
        default="",
        help="what the sandbox does to the first verify (PayPal: capture) or event",
    )
    parser.add_argument(
        "--recurring",
        action="store_true",
        help="a year of a monthly payment in seconds, with a decline and a lost answer on the way",
    )
    parser.add_argument("--url", help="a running product to use; default: a private one")
    parser.add_argument("--sandbox-url", help="the running product's sandbox, with --url")
    parser.add_argument("--data-dir", type=Path, help="the running product's data, with --url (var)")
    options = parser.parse_args()
    if options.recurring and (options.fault or options.url):
        parser.error("--recurring plays its own faults, in a product of its own: leave --fault and --url out")
    return options


if __name__ == "__main__":
    sys.exit(main())
