"""A customer who pays again and again: set up on the checkout page, charged by the real emulators."""

import math
from typing import Any

from tests.reliability.world import DAY_S, World
from tillgate.common import clock
from tillgate.common.jobs.models import Job
from tillgate.payments.models import Attempt, Payment
from tillgate.payments.services.charges import resolve_lost
from tillgate.payments.states import UNANSWERED
from tillgate.subscriptions.models import Cycle, Subscription


class Subscriber:
    """One subscription of a world, `first` its first attempt. `AMOUNT` each month, unless told otherwise."""

    def __init__(self, world: World, **recurring: Any) -> None:
        self.world = world
        payment = world.order(recurring={"interval": "monthly", **recurring})
        self.first = world.agree(payment)
        world.pay(self.first)
        world.wait(20)
        self.subscription = Subscription.objects.get(reference=payment.subscription_reference)
        assert self.status == "active"
        assert self.subscription.payment_method is not None

    @property
    def status(self) -> str:
        self.subscription.refresh_from_db()
        return self.subscription.status

    def skip_to_due(self, *, late_s: int = 1) -> None:
        """Let time pass until the next cycle is due, and nobody at work."""
        self.subscription.refresh_from_db()
        assert self.subscription.next_opens_at is not None
        wait = self.subscription.next_opens_at - clock.now()
        self.world.advance(math.ceil(wait.total_seconds()) + late_s)

    def renew(self, *, late_s: int = 1) -> Cycle:
        """Go on to the next due date, with a worker who is there; return its cycle."""
        self.skip_to_due(late_s=late_s)
        self.world.work()
        return self.cycles()[-1]

    def try_again(self) -> None:
        """Go on to when the newest cycle is tried again."""
        at = self.cycles()[-1].next_try_at
        assert at is not None, "nobody tries it again"
        self.world.wait(math.ceil((at - clock.now()).total_seconds()) + 1)

    def answer_questions(self) -> list[int]:
        """Wait for each next question about the newest charge until it is known; return the waits in s."""
        waits: list[int] = []
        while self.payment().status == "processing":
            attempt = self.payment().attempts.latest("pk")
            if self._is_for_a_person(attempt):
                self._resolve(attempt)
                continue
            at = Job.objects.get(unique_key=attempt.question_key).run_at
            waits.append(math.ceil((at - clock.now()).total_seconds()) + 1)
            self.world.wait(waits[-1])
        return waits

    def _is_for_a_person(self, attempt: Attempt) -> bool:
        is_lost = not self.world.way.resends and attempt.status in UNANSWERED
        return is_lost and attempt.gateway_reference not in {move["reference"] for move in self.charges()}

    def _resolve(self, attempt: Attempt) -> None:
        """A person does not find it in the gateway's dashboard, and says so; another charge is made."""
        self.world.wait(DAY_S + 60)
        resolve_lost(attempt.pk)
        self.world.work()
        self.world.wait(600)

    def cycles(self) -> list[Cycle]:
        return list(self.subscription.all_cycles.select_related("payment").order_by("index"))

    def outcomes(self) -> list[str]:
        """How each due date stands."""
        return [cycle.status for cycle in self.cycles()]

    def payment(self, index: int = -1) -> Payment:
        payment = self.cycles()[index].payment
        assert payment is not None
        return payment

    def bank_says(self, *outcomes: str) -> None:
        """What the next charges of the saved method come to."""
        named = {"gateway": self.world.gateway, "reference": self.first.gateway_reference}
        self.world.control("methods", {**named, "next": list(outcomes)})

    def charges(self, *, ok: bool = True) -> list[dict[str, Any]]:
        """The charges that we asked for and got, or (`ok` false) did not get."""
        mine = f"{self.subscription.reference}-"
        return [
            move for move in self.world.tries() if move["reference"].startswith(mine) and move["ok"] == ok
        ]

    def taken(self) -> list[int]:
        """How much was taken by each of them."""
        return [move["amount_minor"] for move in self.charges()]

    def ask(self, action: str) -> dict[str, Any]:
        """The shop pauses, resumes or cancels it."""
        return self._told(self.world.post(f"/subscriptions/{self.subscription.reference}/{action}", {}))

    def change(self, **members: Any) -> dict[str, Any]:
        """The shop changes what is to come."""
        return self._told(self.world.patch(f"/subscriptions/{self.subscription.reference}", members))

    def stop(self) -> None:
        """The customer stops it, by the link in every mail."""
        self.world.visit(f"/subscription/{self.subscription.manage_token}/stop")
        assert self.status == "canceled"

    @staticmethod
    def _told(answer: Any) -> dict[str, Any]:
        assert answer.status_code == 200, answer.content
        return dict(answer.json()["subscription"])
