"""The end of every case: our rows against each other, and against the journal that the gateway kept.

The rules are those of the invariants I-1, I-1b, I-2, I-8, I-9, I-10, I-15, I-17 and I-18.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.reliability import renewals
from tests.reliability.world import World
from tillgate.common.jobs import dead_jobs
from tillgate.inbox.services import waiting_for_a_person as events_for_a_person
from tillgate.payments.models import Payment
from tillgate.payments.services.verify import violations
from tillgate.payments.services.verify import waiting_for_a_person as money_for_a_person
from tillgate.payments.states import SETTLED

# How a job may fail on a bad day; anything else is a bug of ours.
KNOWN = ("NotConfirmed", "Unreachable", "GatewayUnknown", "GatewayTrouble", "GatewayTimeout", "vanished")
Moves = list[dict[str, Any]]


def assert_in_order(world: World) -> None:
    """Heal the world, and hold what is in our tables against what really happened."""
    world.heal()
    assert list(violations()) == []
    assert list(disagreements(world)) == []


def for_a_person() -> str:
    """All that a person is told of, in one text."""
    return "\n".join((*money_for_a_person(), *events_for_a_person()))


def is_listed(payment: Payment) -> bool:
    """Say whether a person is told of a payment, or of one of its attempts."""
    return _is_named(payment, for_a_person())


def disagreements(world: World) -> Iterator[str]:
    """Yield one sentence for each difference between our rows and the truth."""
    journal = world.journal()
    told = for_a_person()
    for payment in Payment.objects.prefetch_related("attempts", "surpluses", "refunds").order_by("pk"):
        moves = [move for move in journal if move["reference"] in _names(payment)]
        listed = _is_named(payment, told)
        yield from _charges(payment, moves, lied=world.lied and listed)
        yield from _proof(payment, moves)
        yield from _money_back(payment, moves, listed=listed)
    yield from renewals.disagreements(world)
    yield from (f"I-17 {name} is open and nobody is told" for name in world.unfinished() if name not in told)
    yield from dead_jobs()
    yield from (
        f"a job failed: {trouble}" for trouble in world.troubles if not any(k in trouble for k in KNOWN)
    )


def _is_named(payment: Payment, told: str) -> bool:
    return any(name in told for name in (payment.reference, *_names(payment)))


def _names(payment: Payment) -> set[str]:
    return {attempt.gateway_reference for attempt in payment.attempts.all()}


def _charges(payment: Payment, moves: Moves, *, lied: bool) -> Iterator[str]:
    charges = [move for move in moves if move["kind"] == "charge"]
    if sum(move["initiated_by"] == "merchant" for move in charges) > 1:
        yield f"I-1 {payment} was charged twice by us: {charges}"
    taken = Counter[str]()
    for move in charges:
        taken[move["currency"]] += move["amount_minor"]
    known = Counter[str]()
    for attempt in payment.attempts.all():
        if attempt.status == "succeeded":
            known[attempt.received_currency] += attempt.received_minor or 0
    first = {(attempt.gateway, attempt.gateway_id) for attempt in payment.attempts.all()}
    for surplus in payment.surpluses.all():
        if (surplus.gateway, surplus.gateway_id) in first:
            continue  # The money of an attempt of its own.
        known[surplus.currency] += surplus.amount_minor
    if taken != known and not lied:
        yield f"I-1b {payment} is {payment.status}: {dict(taken)} was taken, {dict(known)} is known"


def _proof(payment: Payment, moves: Moves) -> Iterator[str]:
    if payment.status not in SETTLED or payment.review_reason:
        return  # What a person decided about was settled by them.
    proof = next((attempt for attempt in payment.attempts.all() if attempt.settles), None)
    if proof is None:
        yield f"I-2 {payment} is {payment.status} without an attempt that settles it"
        return
    paid = (proof.gateway_reference, proof.mode, payment.amount_minor, payment.currency)
    shape = ("reference", "mode", "amount_minor", "currency")
    if not any(tuple(move[name] for name in shape) == paid for move in moves if move["kind"] == "charge"):
        yield f"I-2 {payment} is {payment.status}, and the journal has no charge like {paid}"


def _money_back(payment: Payment, moves: Moves, *, listed: bool) -> Iterator[str]:
    sums = Counter[str]()
    for move in moves:
        sums[move["kind"]] += move["amount_minor"]
    sent, back = sums["refund"], sums["refund"] + sums["reversal"]
    ours = sum(refund.amount_minor for refund in payment.refunds.all() if refund.status == "succeeded")
    if sent > sums["charge"]:
        yield f"I-10 {payment}: {sent} went back of {sums['charge']}"
    if back != ours and not listed:
        yield f"I-10 {payment}: {back} went back, our refunds say {ours}"
    if sums["dispute"] and payment.status != "charged_back" and not listed:
        yield f"I-18 {payment} is {payment.status}, and the gateway took {sums['dispute']} of it back"
