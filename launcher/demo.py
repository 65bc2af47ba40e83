"""`./run demo`: one whole payment over HTTP, as a shop and its customer make it, told as a timeline."""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from launcher.environment import (
    ROOT,
    Environment,
    Installation,
    data_dir_of,
    installation_at,
    outer_environment,
    private_environment,
    product_environment,
)
from launcher.http import Client, Form, Refused
from launcher.product import NotStarted, Product, Stopped, free_ports

ORDER = {"customer_name": "John Doe", "customer_email": "john@example.com", "amount": 50.00}
AMOUNT_MINOR = 5000
# What a fault strikes: the call by which the product learns, or makes, that the money has moved.
STRUCK = {"paystack": "verify", "flutterwave": "verify", "paypal": "capture"}
CURRENCIES = {"paypal": "USD"}  # PayPal takes no naira, which is what a payment is in by default.
FINAL = {"completed", "review", "canceled"}  # After these, waiting changes nothing.
# A hung gateway holds a question for 45 s, so a demo with a fault may wait longer.
PATIENCE_S, PATIENCE_WITH_FAULT_S = 30.0, 150.0
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


class Demo:
    """One payment on its way, and the timeline printed as it goes."""

    def __init__(self, installation: Installation, env: Environment, options: argparse.Namespace) -> None:
        self.client = Client()
        self.product = options.url.rstrip("/") if options.url else installation.url
        self.sandbox = options.sandbox_url.rstrip("/") if options.sandbox_url else installation.sandbox_url
        self.gateway: str = options.gateway
        self.fault: str = options.fault
        self._end = ENDS[self.gateway].get(self.fault, End())
        self._env = env
        self._began = time.monotonic()
        self._seen: set[str] = set()

    def run(self) -> bool:
        """Pay once; True when the payment ended as it should and the gateway took the money once."""
        payment = self._create()
        self._plan_fault()
        reference = self._check_out(payment)
        pay = {"gateway": self.gateway, "reference": reference, "outcome": "success"}
        self.client.post(f"{self.sandbox}/control/pay", pay)
        self._say("paid", "by the customer, on the gateway's page")
        ended = self._wait(payment["id"], reference)
        return self._judge(ended) & self._fault_struck() & self._money_moved_rightly(reference)

    def _create(self) -> dict[str, Any]:
        currency = CURRENCIES.get(self.gateway)
        order = {**ORDER, "currency": currency} if currency else ORDER
        answer = self.client.post(f"{self.product}/api/v1/payments", order)
        payment: dict[str, Any] = answer.json()["payment"]
        self._say("created", f"{payment['id']}, {payment['amount']:.2f} {payment['currency']}")
        return payment

    def _plan_fault(self) -> None:
        if not self.fault:
            return
        struck = "event" if self.fault.startswith("event_") else STRUCK[self.gateway]
        match = f"{self.gateway}.{struck}"
        # Two questions may be on their way at once; where one true answer would do, none may be true.
        lasts = self._end.status != "completed"
        plan = {"match": match, "nth": 1, "times": 0 if lasts else 1, "fault": self.fault, "args": {}}
        self.client.post(f"{self.sandbox}/control/faults", {"faults": [plan]})
        self._say("fault", f"{'every' if lasts else 'the first'} {match} will suffer {self.fault}")

    def _check_out(self, payment: dict[str, Any]) -> str:
        url: str = payment["checkout_url"]
        form = Form(self.client.get(url).text, button="gateway", value=self.gateway)
        if not form.found:
            raise Refused(f"The checkout page {url} has no button for {self.gateway}.")
        self._say("checkout", "the customer opens the page")
        answer = self.client.submit(urllib.parse.urljoin(url, form.action), form.fields)
        if answer.status != 303:
            raise Refused(f"The checkout's button answered {answer.status} and not 303.")
        self._say("session", f"redirected to {answer.location}")
        # The session is open: asking for it again returns the same one, with its reference.
        again = self.client.post(
            f"{self.product}/api/v1/payments/{payment['id']}/attempts", {"gateway": self.gateway}
        )
        attempt = again.json()["attempt"]
        if attempt["next_action"]["url"] != answer.location:
            raise Refused("The checkout's button and the API opened two sessions.")
        reference: str = attempt["gateway_reference"]
        return reference

    def _wait(self, payment_id: str, reference: str) -> dict[str, Any]:
        paid_at = time.monotonic()
        until = paid_at + (PATIENCE_WITH_FAULT_S if self.fault else PATIENCE_S)
        advance_at = paid_at + ADVANCE_AFTER_S
        while True:
            payment: dict[str, Any] = self._payment(payment_id)
            self._show_events(reference)
            if payment["status"] in {self._end.status, *FINAL} or time.monotonic() > until:
                return payment
            if time.monotonic() > advance_at:
                self._advance_clocks()
                advance_at = time.monotonic() + ADVANCE_EVERY_S
            time.sleep(POLL_EVERY_S)

    def _payment(self, payment_id: str) -> dict[str, Any]:
        payment: dict[str, Any] = self.client.get(f"{self.product}/api/v1/payments/{payment_id}").json()[
            "payment"
        ]
        return payment

    def _show_events(self, reference: str) -> None:
        for event in self.client.get(f"{self.sandbox}/control/events").json()["events"]:
            state = f"{event['status']}, answer {event['last_answer'] or 'none yet'}"
            line = f"#{event['id']} {event['type']} {'forged, ' if event['forged'] else ''}{state}"
            if event["reference"] == reference and event["status"] != "waiting" and line not in self._seen:
                self._seen.add(line)
                self._say("webhook", line)

    def _advance_clocks(self) -> None:
        step_s = self._end.advance_s
        self.client.post(f"{self.sandbox}/control/clock", {"advance_s": step_s})
        command = [sys.executable, "manage.py", "advance_clock", str(step_s)]
        subprocess.run(command, cwd=ROOT, env=self._env, check=True, stdout=subprocess.DEVNULL)
        self._say("clock", f"product and sandbox {step_s} s on, so that the next question is due")

    def _judge(self, payment: dict[str, Any]) -> bool:
        status = payment["status"]
        if status == "completed" and payment["completed_at"]:
            self._say("verified", "the gateway confirmed amount, currency and reference when asked")
        self._say(status, f"completed_at {payment['completed_at']}" if payment["completed_at"] else "")
        good: bool = status == self._end.status
        if not good:
            self._say("wrong", f"it should have ended {self._end.status}")
        return good

    def _fault_struck(self) -> bool:
        """Take the fault away; a demo of one that never struck has shown nothing."""
        if not self.fault:
            return True
        planned = self.client.get(f"{self.sandbox}/control/faults").json()["faults"]
        struck = any(fault["hits"] for fault in planned if fault["fault"] == self.fault)
        self.client.submit(f"{self.sandbox}/control/faults", {"clear": "1"})
        if not struck:
            self._say("wrong", f"{self.fault} never struck")
        return struck

    def _money_moved_rightly(self, reference: str) -> bool:
        entries = self.client.get(f"{self.sandbox}/control/journal").json()["entries"]
        charges = [
            entry for entry in entries if entry["reference"] == reference and entry["kind"] == "charge"
        ]
        taken = tuple(entry["amount_minor"] for entry in charges if entry["ok"])
        right = taken == self._end.taken
        self._say("journal", f"the gateway took {_amounts(taken)}{'' if right else ', which is wrong'}")
        return right

    def _say(self, what: str, more: str) -> None:
        print(f"{time.monotonic() - self._began:+8.2f} s  {what:<10} {more}".rstrip(), flush=True)


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
        if options.url:
            good = Demo(*_running(options), options).run()
        else:
            with _private_product() as (installation, env):
                good = Demo(installation, env, options).run()
    except (Refused, NotStarted) as reason:
        print(f"The demo failed: {reason}", file=sys.stderr)
        return 1
    except (Stopped, KeyboardInterrupt):
        return 130
    print("The payment ended as it should." if good else "The payment did NOT end as it should.")
    return 0 if good else 1


def _running(options: argparse.Namespace) -> tuple[Installation, Environment]:
    outer = outer_environment()
    installation = installation_at(ROOT / options.data_dir if options.data_dir else data_dir_of(outer))
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
    parser.add_argument("--url", help="a running product to use; default: a private one")
    parser.add_argument("--sandbox-url", help="the running product's sandbox, with --url")
    parser.add_argument("--data-dir", type=Path, help="the running product's data, with --url (var)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
