"""Whenever somebody says stop: after the answer no new charge starts, and one under way is shown."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from django.db import connection, connections

from tests.fakes import ChargingGateway, Script
from tests.races.conftest import SPREAD_S, race
from tillgate.common import clock
from tillgate.common.jobs.models import Job
from tillgate.events.models import Event
from tillgate.gateways import registry
from tillgate.gateways.protocol import AttemptRef, ChargeRequest, GatewayState, PaymentSnapshot
from tillgate.money import Money
from tillgate.payments.models import Attempt
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.services.charge import charge_cycle, queue_due_tries
from tillgate.subscriptions.services.cycles import open_due
from tillgate.subscriptions.services.stop import cancel_subscription, in_flight, pause_subscription
from tools.bench.subscriptions import save_methods, subscribe

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
BLOCKED_S = 0.02  # Who has not ended by then waits for a lock of the other.
STATEMENTS = 24  # A renewal has about so many.
STOPS: dict[str, Callable[[int], Subscription]] = {
    "canceled": partial(cancel_subscription, reason="customer"),
    "paused": pause_subscription,
}


@dataclass(kw_only=True)
class Stopped:
    """What whoever said stop could see as soon as it was answered."""

    at: datetime
    attempts: list[str]
    in_flight: str | None


class Pause:
    """Stops a thread before its statement number `at`, until the other has ended or is blocked."""

    def __init__(self, at: int) -> None:
        self.left, self.arrived, self.other_ended = at, threading.Event(), threading.Event()

    def __call__(self, execute: Any, *statement: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            self.arrived.set()
            self.other_ended.wait(BLOCKED_S)
        return execute(*statement)


class Ring:
    """Two threads that keep their connections, and the ways in which they meet."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(2)
        self._dice = random.Random(1)

    def meet(self, number: int, first: Callable[[], object], second: Callable[[], object]) -> None:
        """Let one of the two wait at one of its statements for the other, or both start at once."""
        way, at = number % 3, number // 3 % STATEMENTS + 1
        if way == 0:
            self._at_once(first, second)
        else:
            self._one_waits(*((first, second) if way == 1 else (second, first)), Pause(at))

    def close(self) -> None:
        both = threading.Barrier(2)

        def leave() -> None:
            both.wait()
            connections.close_all()

        self._both(leave, leave)
        self._pool.shutdown()

    def _at_once(self, *actions: Callable[[], object]) -> None:
        both = threading.Barrier(2)

        def run(action: Callable[[], object], wait_s: float) -> None:
            both.wait()
            time.sleep(wait_s)
            action()

        self._both(*(partial(run, action, self._dice.random() * SPREAD_S) for action in actions))

    def _one_waits(self, one: Callable[[], object], other: Callable[[], object], pause: Pause) -> None:
        def waits() -> None:
            try:
                with connection.execute_wrapper(pause):
                    one()
            finally:
                pause.arrived.set()

        def comes() -> None:
            pause.arrived.wait()
            try:
                other()
            finally:
                pause.other_ended.set()

        self._both(waits, comes)

    def _both(self, *actions: Callable[[], object]) -> None:
        for future in [self._pool.submit(action) for action in actions]:
            future.result()


@pytest.fixture
def charges(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The references under which a gateway, which always takes the money, was asked to charge."""
    asked: list[str] = []

    def take(request: ChargeRequest) -> PaymentSnapshot:
        asked.append(request.gateway_reference)
        return taken(request.gateway_reference)

    def look_up(attempt: AttemptRef) -> PaymentSnapshot:
        reference = attempt.gateway_reference
        absent = PaymentSnapshot(state=GatewayState.ABSENT, gateway_reference=reference)
        return taken(reference) if reference in asked else absent

    script = Script()
    script.says("charge_saved", take)
    script.says("fetch_payment", look_up)
    monkeypatch.setitem(registry.GATEWAYS, "paystack", type("Fake", (ChargingGateway,), {"script": script}))
    return asked


@pytest.fixture
def ring() -> Any:
    two = Ring()
    yield two
    two.close()


def taken(reference: str) -> PaymentSnapshot:
    """The gateway took NGN 50.00 under this reference."""
    return PaymentSnapshot(
        state=GatewayState.SUCCEEDED,
        gateway_reference=reference,
        gateway_id=f"id-{reference}",
        mode="test",
        amount=Money(5_000, "NGN"),
        channel="card",
    )


def due(merchant: Any, count: int) -> None:
    """Store so many subscriptions that are due now."""
    [method] = save_methods(merchant, [("john@example.com", "AUTH_1")])
    subscribe([method], count, clock.now())


def opened(merchant: Any, count: int) -> list[Cycle]:
    """Store so many subscriptions whose cycle is to be charged now."""
    due(merchant, count)
    assert open_due() == count
    return list(Cycle.objects.select_related("subscription", "payment").order_by("pk"))


def stop_and_look(stop: Callable[[int], Subscription], cycle: Cycle, seen: dict[int, Stopped]) -> None:
    subscription, answered_at = stop(cycle.subscription_id), clock.now()
    charging = in_flight(subscription)
    sent = Attempt.objects.filter(payment=cycle.payment).values_list("gateway_reference", flat=True)
    shown = charging.reference if charging else None
    seen[cycle.pk] = Stopped(at=answered_at, attempts=list(sent), in_flight=shown)


def moments(type: str) -> dict[str, datetime]:
    """When each subject had this event."""
    return dict(Event.objects.filter(type=type).values_list("subject", "created_at"))


@pytest.mark.parametrize(("stop", "rounds"), [("canceled", 700), ("paused", 300)])
def test_i9_after_the_answer_to_a_stop_no_new_charge_starts(merchant, charges, ring, stop, rounds):
    if connection.vendor == "sqlite":
        rounds //= 5  # It has one writer: there is less to interleave, and each round takes as long.
    seen: dict[int, Stopped] = {}
    for number, cycle in enumerate(opened(merchant, rounds)):
        stopping = partial(stop_and_look, STOPS[stop], cycle, seen)
        ring.meet(number, partial(charge_cycle, cycle.pk, 1), stopping)

    attempts = {attempt.payment.reference: attempt for attempt in Attempt.objects.select_related("payment")}
    stopped, paid = moments(f"subscription.{stop}"), moments("payment.completed")
    assert len(stopped) == rounds
    for cycle in Cycle.objects.select_related("subscription", "payment"):
        at, shown = stopped[cycle.subscription.reference], seen[cycle.pk]
        attempt = attempts.get(cycle.payment.reference)
        assert shown.attempts == ([attempt.gateway_reference] if attempt else [])
        assert attempt or not cycle.in_flight_at_stop
        if attempt:
            assert attempt.created_at < at, "a charge was begun after the stop"
            # What had not ended by the answer is shown.
            assert cycle.in_flight_at_stop or paid[cycle.payment.reference] < shown.at
        assert shown.in_flight in ({cycle.payment.reference, None} if cycle.in_flight_at_stop else {None})
    assert sorted(charges) == sorted(attempt.gateway_reference for attempt in attempts.values())
    assert 0.1 < len(attempts) / rounds < 0.9, "one of the two always came first: nothing was tried"


def test_a_charge_that_two_workers_have_at_once_is_made_once(merchant, charges, ring):
    for number, cycle in enumerate(opened(merchant, 60)):
        charges.clear()

        ring.meet(number, partial(charge_cycle, cycle.pk, 1), partial(charge_cycle, cycle.pk, 1))

        assert len(charges) == 1
        assert Attempt.objects.filter(payment=cycle.payment).count() == 1


def test_two_schedulers_at_once_open_each_cycle_once_and_queue_each_charge_once(merchant, settings):
    settings.TILLGATE_RENEWALS_PER_SECOND = 1_000
    due(merchant, 300)

    opened_by_each = race(open_due, open_due, open_due)
    queued_by_each = race(queue_due_tries, queue_due_tries, queue_due_tries)

    assert (sum(opened_by_each), sum(queued_by_each)) == (300, 300)
    assert Cycle.objects.filter(index=1, payment__isnull=False).count() == 300
    assert Cycle.objects.values("subscription").distinct().count() == 300
    charging = Job.objects.filter(task__endswith=".charge_cycle")
    assert charging.count() == charging.values("unique_key").distinct().count() == 300
    assert set(Subscription.objects.values_list("next_index", flat=True)) == {2}
