"""The product in one process over the real emulators: a customer, a shop, a worker, bad luck and time.

The sandbox has no webhook address here, so it keeps its events: a test rings with them when, as often
and in the order it likes.
"""

import re
import time
from typing import Any

import httpx
from django.test import Client

from tests.loopback import NO_TLS
from tests.reliability.matrix import WAYS
from tillgate.common import clock
from tillgate.common.jobs.execution import execute, write
from tillgate.common.jobs.leases import claim, requeue_expired
from tillgate.common.jobs.models import Job
from tillgate.common.jobs.periodic import Timetable
from tillgate.common.jobs.worker import BATCH
from tillgate.inbox.models import InboundEvent
from tillgate.payments.models import Attempt, Payment, Refund
from tillgate.payments.states import OPEN_REFUNDS

SLOW = frozenset({"timeout_before", "timeout_after", "slow_body"})
LONG_S, SHORT_S = 10.0, 0.5  # How long we wait for an answer, and how long where none will come.
UNTRUE = frozenset({"wrong_amount", "wrong_currency"})
STEPS_S = (0, 20, 40, 60, 300, 900, 3600, 7200, 14_400)
LEAST_S = 300  # A payment that was paid just now is asked about within that time.
DAY_S = 86_400
NEVER = 10**6
MOST_JOBS = 1_000  # More at one moment make one another due without end.
AMOUNT = "50.00"
CONSENT = re.compile(r'name="consent" value="([^"]+)"')


class World:
    """One gateway's world. `lied` says that the gateway told us of money that is not in its journal.

    `at_once` is how many jobs the worker claims together, and then writes together.
    """

    def __init__(self, gateway: str, url: str, key: str) -> None:
        self.gateway, self.way, self.url = gateway, WAYS[gateway], url
        self.patience_s, self.lied, self.at_once = LONG_S, False, BATCH
        self.troubles: set[str] = set()
        self.passed_s = 0
        self._rung: set[int] = set()
        self._timetable = Timetable()
        self._shop = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {key}"})
        self._stranger = Client(raise_request_exception=False)
        self._control = httpx.Client(base_url=f"{url}/control", timeout=30, verify=NO_TLS)

    def close(self) -> None:
        self._control.close()

    # The shop.

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """One call of the shop's server."""
        return self._shop.post(f"/api/v1{path}", body, content_type="application/json", headers=headers)

    def patch(self, path: str, body: Any) -> Any:
        return self._shop.patch(f"/api/v1{path}", body, content_type="application/json")

    def get(self, path: str) -> Any:
        return self._shop.get(f"/api/v1{path}")

    def order(self, **members: Any) -> Payment:
        """A payment that nobody has tried to pay yet."""
        asked = {"amount": AMOUNT, "currency": self.way.currency, **members}
        answer = self.post(
            "/payments", {"customer_name": "Ada", "customer_email": "ada@example.com", **asked}
        )
        assert answer.status_code == 201, answer.content
        return Payment.objects.get(reference=answer.json()["payment"]["id"])

    def open(self, payment: Payment, gateway: str | None = None) -> Any:
        """The customer presses the button; the answer to it."""
        return self.post(f"/payments/{payment.reference}/attempts", {"gateway": gateway or self.gateway})

    def session(self, payment: Payment | None = None, gateway: str | None = None) -> Attempt:
        """An attempt whose page is open; the customer presses again where that failed."""
        payment = payment or self.order()
        for _ in range(4):
            answer = self.open(payment, gateway)
            if answer.status_code in (200, 201):
                return Attempt.objects.get(reference=answer.json()["attempt"]["id"])
            self.wait(40)
        raise AssertionError(answer.content)

    def bought(self, **members: Any) -> Payment:
        """A payment that is completed."""
        attempt = self.session(self.order(**members))
        self.pay(attempt)
        self.wait(20)
        payment = Payment.objects.get(pk=attempt.payment_id)
        assert payment.status == "completed"
        return payment

    def refund(self, payment: Payment, amount: str | None = None, *, key: str = "r1") -> Any:
        body = {} if amount is None else {"amount": amount}
        return self.post(f"/payments/{payment.reference}/refunds", body, **{"Idempotency-Key": key})

    # The customer, the gateway's dashboard and the bank.

    def agree(self, payment: Payment) -> Attempt:
        """The customer opens the checkout page, ticks what it asks, and presses the gateway's button."""
        page = f"/pay/{payment.checkout_token}"
        [wording] = CONSENT.findall(self._stranger.get(page).content.decode())
        pressed = self._stranger.post(page, {"consent": wording, "gateway": self.gateway})
        assert pressed.status_code == 303, pressed.content
        return payment.attempts.latest("pk")

    def visit(self, path: str) -> Any:
        """The customer follows a link and confirms."""
        return self._stranger.post(path)

    def pay(self, attempt: Attempt, outcome: str = "success", **more: Any) -> dict[str, Any]:
        return self.control("pay", self._named(attempt, outcome=outcome, **more))

    def refund_at_gateway(self, attempt: Attempt, **body: Any) -> dict[str, Any]:
        return self.control("refund", self._named(attempt, **body))

    def dispute(self, attempt: Attempt, action: str) -> dict[str, Any]:
        return self.control("dispute", self._named(attempt, action=action))

    def control(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._control.post(f"/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def journal(self) -> list[dict[str, Any]]:
        """Every movement of money that there really was."""
        return [entry for entry in self.tries() if entry["ok"]]

    def tries(self) -> list[dict[str, Any]]:
        """Every movement of money that was asked for, also what was declined."""
        return list(self._control.get("/journal").json()["entries"])

    def charges(self) -> int:
        return sum(move["kind"] == "charge" for move in self.journal())

    # Bad luck.

    def fault(self, operation: str, fault: str, *, times: int = 1, nth: int = 1, **args: Any) -> None:
        """Let the next calls of one operation go wrong; `times` 0 is for ever."""
        if fault in SLOW:
            self.patience_s, args = SHORT_S, {"seconds": 3, **args}
        # What a capture is made to take, it really takes.
        self.lied = self.lied or (fault in UNTRUE and not (self.way.captures and operation == self.way.take))
        plan = {
            "match": f"{self.gateway}.{operation}",
            "fault": fault,
            "times": times,
            "nth": nth,
            "args": args,
        }
        self.control("faults", {"faults": [plan]})

    def count(self, operation: str) -> None:
        """Count the calls of an operation from now on, by a fault that never comes."""
        self.fault(operation, "html", nth=NEVER)

    def calls(self, operation: str = "*") -> int:
        """How many calls the faults that were set on an operation have counted."""
        faults = self._control.get("/faults").json()["faults"]
        match = f"{self.gateway}.{operation}"
        return sum(fault["calls"] for fault in faults if fault["match"] == match)

    def calm(self) -> None:
        """No more bad luck."""
        assert self._control.delete("/faults").status_code == 200
        self.patience_s = LONG_S

    # The doorbell.

    def events(self) -> list[dict[str, Any]]:
        """What the gateway has to tell and nobody has rung with, oldest first."""
        rows = self._control.get("/events").json()["events"]
        return [row for row in rows if row["id"] not in self._rung and row["status"] != "dropped"]

    def ring(self, event: dict[str, Any], **changes: Any) -> int:
        """Deliver one event, perhaps with another body or other headers; the status of the answer."""
        told = {**event, **changes}
        self._rung.add(event["id"])
        body = told["body"].encode() if isinstance(told["body"], str) else told["body"]
        path = f"/api/v1/webhooks/{event['gateway']}"
        answer = self._stranger.post(path, body, content_type="application/json", headers=told["headers"])
        return int(answer.status_code)

    def ring_all(self) -> bool:
        """Deliver what was not delivered, if anything; a forged event is refused, every other accepted."""
        events = self.events()
        for event in events:
            assert self.ring(event) == (401 if event["forged"] else 200), event
        return bool(events)

    # Time and the worker.

    def advance(self, seconds: int) -> None:
        """Let time pass for the product and the gateway alike."""
        clock.advance(seconds)
        self.passed_s += seconds
        self.control("clock", {"advance_s": seconds})

    def monotonic(self) -> float:
        """What the machine's own clock would say, had it moved with the world.

        Else tokens would never wear out here. The gateway would refuse them, and a fault that a test has
        planned for its next call would strike that refusal.
        """
        return time.monotonic() + self.passed_s

    def work(self) -> int:
        """Do what is due now, by the queue and by the clock; remember how jobs failed."""
        self._timetable.enqueue()
        requeue_expired()
        ran = 0
        while jobs := claim(self.at_once):
            write([execute(job) for job in jobs])
            ran += len(jobs)
            assert ran < MOST_JOBS
        errors = Job.objects.exclude(last_error="").values_list("last_error", flat=True)
        self.troubles |= {error.strip().splitlines()[-1] for error in errors}
        return ran

    def wait(self, seconds: int) -> None:
        self.advance(seconds)
        self.work()

    def forget(self) -> None:
        """Another worker takes over."""
        self._timetable = Timetable()

    def heal(self) -> None:
        """No more faults, every event delivered, and time for the worker until nothing is open.

        What is still open after hours gets another day, after which a person must have been told.
        """
        self.calm()
        for seconds in STEPS_S:
            self.wait(seconds)
            if self.ring_all():
                self.work()
            if seconds >= LEAST_S and not self.unfinished():
                return
        for _ in range(2):
            self.wait(DAY_S)

    def unfinished(self) -> list[str]:
        """The names of all that somebody still has to learn the end of."""
        attempts = Attempt.objects.filter(status__in=("created", "sent", "unknown"))
        processing = Payment.objects.filter(status="processing")
        refunds = Refund.objects.filter(status__in=OPEN_REFUNDS)
        stored = InboundEvent.objects.filter(state=InboundEvent.State.STORED)
        rows = (*attempts, *processing, *refunds)
        return [row.reference for row in rows] + [repr(event.gateway_reference) for event in stored]

    def _named(self, attempt: Attempt, **body: Any) -> dict[str, Any]:
        return {"gateway": attempt.gateway, "reference": attempt.gateway_reference, **body}


def status_of(row: Any) -> str:
    """Where a row stands now."""
    row.refresh_from_db()
    return str(row.status)
