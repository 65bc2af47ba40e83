"""What must be true of every recurring payment, by the gateway's journal: I-8, I-9 and I-15."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tests.reliability.world import World
from tillgate.events.models import Event
from tillgate.payments.models import Attempt
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.states import COLLECTING

STOPS = ("subscription.paused", "subscription.canceled", "subscription.completed")
Entry = dict[str, Any]


def disagreements(world: World) -> Iterator[str]:
    """Yield one sentence for each charge of a saved method that should not be, and each that should."""
    charges = [entry for entry in world.tries() if entry["kind"] == "charge"]
    ours = {attempt.gateway_reference for attempt in Attempt.objects.all()}
    of_nobody = [entry for entry in charges if entry["reference"] not in ours]
    yield from (f"I-18 we know nothing of {one}" for one in of_nobody if one["initiated_by"] == "merchant")
    for cycle in Cycle.objects.exclude(payment=None).select_related("subscription", "payment"):
        yield from _cycle(cycle, [entry for entry in charges if entry["reference"] in _names(cycle)])
    for subscription in Subscription.objects.all():
        yield from _index(subscription)


def _cycle(cycle: Cycle, charges: list[Entry]) -> Iterator[str]:
    assert cycle.payment is not None
    taken = [(entry["amount_minor"], entry["currency"]) for entry in charges if entry["ok"]]
    agreed = (cycle.payment.amount_minor, cycle.payment.currency)
    if len(taken) > 1 or any(money != agreed for money in taken):
        yield f"I-8 {cycle} is {agreed}, and {taken} was taken"
    if bool(taken) != (cycle.status == "paid"):
        yield f"I-8 {cycle} is {cycle.status}, and {taken} was taken"
    stops = _stops(cycle.subscription)
    for entry in charges:
        at = datetime.fromisoformat(entry["at"])
        is_stopped = any(since < at and (until is None or at < until) for since, until in stops)
        if entry["initiated_by"] == "merchant" and is_stopped and not cycle.in_flight_at_stop:
            yield f"I-9 {cycle} was charged at {at}, when it was stopped"
    is_waiting = cycle.next_try_at is not None or cycle.payment.status == "processing"
    if cycle.status == "open" and cycle.subscription.status in COLLECTING and not is_waiting:
        yield f"I-15 {cycle} is open, its payment {cycle.payment.status}, and nobody will try it"


def _stops(subscription: Subscription) -> list[tuple[datetime, datetime | None]]:
    """From when to when nothing may be charged."""
    stops: list[tuple[datetime, datetime | None]] = []
    for event in Event.objects.filter(subject=subscription.reference).order_by("sequence"):
        if event.type in STOPS:
            stops.append((event.created_at, None))
        elif event.type == "subscription.resumed":
            stops[-1] = (stops[-1][0], event.created_at)
    return stops


def _index(subscription: Subscription) -> Iterator[str]:
    """Each due date up to now has its cycle, and no other has one."""
    cycles = list(Cycle.objects.filter(subscription=subscription).order_by("index"))
    if [cycle.index for cycle in cycles] != list(range(len(cycles))):
        yield f"I-15 {subscription} has the cycles {[cycle.index for cycle in cycles]}"
    for cycle in cycles[1:]:
        if cycle.due_at != subscription.rhythm.due_at(cycle.index):
            yield f"I-15 {cycle} is due at {cycle.due_at}, not {subscription.rhythm.due_at(cycle.index)}"


def _names(cycle: Cycle) -> set[str]:
    assert cycle.payment is not None
    return {attempt.gateway_reference for attempt in cycle.payment.attempts.all()}
