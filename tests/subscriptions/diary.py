"""A subscription's days in one process: the scheduler's own functions, a fake gateway, a moved clock."""

from typing import Any

from tests.builders import make_attempt, make_snapshot
from tests.fakes import ChargingGateway, Script
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.events.models import Event
from tillgate.gateways.declines import decline
from tillgate.gateways.protocol import ChargeRequest, GatewayState, PaymentSnapshot
from tillgate.payments.models import Attempt, Payment
from tillgate.payments.services.sync import apply_answer
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.services.charge import queue_due_tries, queue_lost
from tillgate.subscriptions.services.cycles import open_due
from tillgate.subscriptions.services.stop import cancel_subscription

DAY_S = 86_400
HOUR_S = 3_600


class Diary:
    """One subscription and its gateway. Charges succeed until the script says something else."""

    def __init__(self, subscription: Subscription, script: Script) -> None:
        self.subscription, self.script = subscription, script
        self.requests: list[ChargeRequest] = []
        self.script.says("charge_saved", self.success)

    def success(self, request: ChargeRequest) -> PaymentSnapshot:
        """The gateway takes the money."""
        self.requests.append(request)
        return self._said(request, GatewayState.SUCCEEDED, amount=request.amount)

    def declined(self, code: str = "insufficient_funds") -> Any:
        """The bank declines."""

        def answer(request: ChargeRequest) -> PaymentSnapshot:
            self.requests.append(request)
            return self._said(request, GatewayState.FAILED, failure=decline(code))

        return answer

    def lost(self, error: Exception) -> Any:
        """The call was made, and its answer is this error."""

        def answer(request: ChargeRequest) -> PaymentSnapshot:
            self.requests.append(request)
            raise error

        return answer

    def look(self) -> None:
        """What the scheduler and the workers do now."""
        open_due()
        queue_due_tries()
        queue_lost()
        clock.advance(6)  # What was spread over the next seconds is due by then.
        run_due_jobs()

    def reach_due_date(self) -> None:
        """Go on to a minute after the next cycle is due, without a look."""
        assert self.subscription.next_opens_at is not None
        wait = self.subscription.next_opens_at - clock.now()
        clock.advance(round(wait.total_seconds()) + 60)

    def pass_days(self, days: int, *, step_s: int = DAY_S) -> None:
        """Let time pass, with a look each step."""
        for _ in range(days * DAY_S // step_s):
            clock.advance(step_s - 6)
            self.look()

    def pass_hours(self, hours: int) -> None:
        """Let hours pass, with a look each hour."""
        for _ in range(hours):
            clock.advance(HOUR_S - 6)
            self.look()

    def stop(self) -> None:
        """The merchant stops it."""
        cancel_subscription(self.subscription.pk, reason="merchant")

    def pay_by_hand(self, payment: Payment, **fields: Any) -> None:
        """The customer pays on a gateway's page."""
        attempt = make_attempt(payment)
        apply_answer(attempt, make_snapshot(attempt, **fields))
        run_due_jobs()

    def tell_again(self, payment: Payment, **fields: Any) -> None:
        """The gateway is asked once more about a payment that has come in, and tells more than before."""
        attempt = payment.attempts.get(settles=True)
        apply_answer(attempt, make_snapshot(attempt, gateway_id=attempt.gateway_id, **fields))
        run_due_jobs()

    def pay_in_flight(self) -> None:
        """The charge whose answer was lost has taken the money."""
        attempt = self.attempts()[-1]
        apply_answer(attempt, make_snapshot(attempt))
        run_due_jobs()

    def fail_in_flight(self) -> None:
        """The charge whose answer was lost was declined."""
        attempt = self.attempts()[-1]
        apply_answer(attempt, make_snapshot(attempt, GatewayState.FAILED, failure=decline("declined")))
        run_due_jobs()

    def told(self) -> list[str]:
        """The subscription's timeline."""
        events = Event.objects.filter(subject=self.subscription.reference).order_by("sequence")
        return [event.type.removeprefix("subscription.") for event in events]

    def status(self) -> str:
        self.subscription.refresh_from_db()
        return self.subscription.status

    def cycles(self) -> list[Cycle]:
        return list(Cycle.objects.filter(subscription=self.subscription).order_by("index"))

    def taken(self) -> list[str]:
        """The references of the charges whose money came in, by our books."""
        return [attempt.gateway_reference for attempt in self.attempts() if attempt.settles]

    def attempts(self) -> list[Attempt]:
        return list(Attempt.objects.filter(payment__cycle__subscription=self.subscription).order_by("pk"))

    def _said(self, request: ChargeRequest, state: GatewayState, **fields: Any) -> PaymentSnapshot:
        return PaymentSnapshot(
            state=state,
            gateway_reference=request.gateway_reference,
            gateway_id=f"id-{request.gateway_reference[-20:]}",
            mode="test",
            channel="card",
            **fields,
        )


def charging(script: Script, base: type[ChargingGateway] = ChargingGateway) -> type[ChargingGateway]:
    """The fake adapter that answers from a script."""
    return type("Charging", (base,), {"script": script})
