"""What happens beside the requests: customers pay, the worker works, time passes."""

from collections.abc import Callable
from typing import Any

import httpx2

from tests.builders import (
    make_cycle,
    make_dispute,
    make_method,
    make_payment,
    make_settled,
    make_subscription,
    make_surplus,
)
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.merchants.models import Merchant
from tillgate.money import Money
from tillgate.payments.models import Attempt

OUTCOMES = ("success", "success", "success", "decline", "twice", "other_amount", "pending", "abandon")
MOST_JOBS = 100
RECENT = 20


def furnish(merchant: Merchant, count: int) -> None:
    """Make so many of what requests alone never lead to: subscriptions over saved cards, money that came
    twice, payments that are contested, and whatever is in review."""
    for number in range(count):
        make_cycle(make_subscription(merchant, payment_method=make_method(merchant)), index=0)
        attempt = make_settled(make_payment(merchant))
        (make_surplus if number % 2 else make_dispute)(attempt)
        make_settled(make_payment(merchant), amount=Money(4_000, "NGN"))  # Of NGN 50.00.


class World:
    """The emulated gateways over HTTP, and the product's own worker in this thread."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = httpx2.Client(timeout=30, trust_env=False)

    @property
    def events(self) -> tuple[Callable[[Callable[[Any], Any]], None], ...]:
        """What may happen; each is handed a function that chooses one of several."""
        return self.pay, self.pay, self.contest, self.work, self.work, self.wait

    def pay(self, choose: Callable[[Any], Any]) -> None:
        """Let a customer do something on a gateway's page, and the worker learn of it."""
        attempts = list(Attempt.objects.open().order_by("-pk")[:RECENT])
        if attempts:
            attempt = choose(attempts)
            told = {"gateway": attempt.gateway, "reference": attempt.gateway_reference}
            self._tell("pay", {**told, "outcome": choose(OUTCOMES)})
            self.work(choose)

    def contest(self, choose: Callable[[Any], Any]) -> None:
        """Let a customer's bank contest a payment."""
        attempts = list(Attempt.objects.filter(status="succeeded").order_by("-pk")[:RECENT])
        if attempts:
            attempt = choose(attempts)
            told = {"gateway": attempt.gateway, "reference": attempt.gateway_reference}
            self._tell("dispute", {**told, "action": choose(["open", "won", "lost"])})

    def work(self, choose: Callable[[Any], Any]) -> None:
        """Ask about everything that is open, and run what is due."""
        clock.advance(30)
        run_due_jobs(limit=MOST_JOBS)

    def wait(self, choose: Callable[[Any], Any]) -> None:
        """Let an hour pass."""
        clock.advance(3_600)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _tell(self, what: str, told: dict[str, str]) -> None:
        self._http.post(f"{self._url}/control/{what}", json=told)  # What it refuses did not happen.
