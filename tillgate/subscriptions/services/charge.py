"""Collect a cycle by the saved method: one try at a time, and never once somebody has said stop."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from tillgate.common import clock, restoration
from tillgate.common.jobs import Call, enqueue_all
from tillgate.common.models import Restoration
from tillgate.gateways.protocol import ChargesSaved
from tillgate.gateways.registry import GATEWAYS
from tillgate.merchants.services.health import merchants_resting
from tillgate.payments.models import Attempt, Payment
from tillgate.payments.services.charges import (
    NOT_SENT,
    charger_of,
    may_be_sent_again,
    reserve_charge,
    send_charge,
    try_number,
)
from tillgate.payments.services.moves import lock_payment
from tillgate.payments.services.sync import ask, make_question_due
from tillgate.payments.states import ASKED_ATTEMPTS, OPEN_ATTEMPTS, PAYABLE, UNANSWERED, AttemptStatus
from tillgate.subscriptions.models import Cycle
from tillgate.subscriptions.services.moves import lock_subscription
from tillgate.subscriptions.states import COLLECTING, Collection, CycleStatus

BATCH = 50  # Rows in one transaction: SQLite has one writer.
PERIOD_S = 5  # Of the job that queues: so many seconds' worth of charges wait in the queue at most.
REMINDERS_AT_ONCE = 200
CUSTOMER_PAYS = timedelta(hours=1)  # So long after a customer has opened a gateway's page we do not charge.
ASKED_BEFORE = timedelta(minutes=15)  # An older page is asked about so shortly before a charge.
# No call takes so long, so a charge still without an answer has lost its caller.
LOST_AFTER = timedelta(minutes=2)
LOOKED_AT_AGAIN = timedelta(hours=1)
AGAIN_AFTER = timedelta(minutes=30)


def queue_due_tries() -> int:
    """Queue the charges whose time has come, at each gateway no more than it is to get, and remind those
    customers who have to act; return how many. Charges at a gateway that rests just now wait."""
    due = Cycle.objects.filter(
        status=CycleStatus.OPEN, next_try_at__lte=clock.now(), subscription__status__in=COLLECTING
    )
    if not due.exists():
        return 0
    by_customer = Q(needs_customer=True) | Q(subscription__collection=Collection.SEND_LINK)
    _queue_reminders(due.filter(by_customer))
    queued = 0
    for mode in ("test", "live"):
        tired = merchants_resting(mode)
        for gateway in GATEWAYS:
            ours = Q(subscription__payment_method__gateway=gateway, subscription__mode=mode)
            if resting := tired.get(gateway):
                ours &= ~Q(subscription__merchant__in=resting)
            queued += _queue(due.filter(ours).exclude(by_customer))
    return queued


def charge_cycle(cycle_id: int, number: int) -> None:
    """Make try `number` of a cycle, unless somebody has stopped it or it is paid.

    A repeat after a crash asks what became of it instead of charging again; so does a try that a restored
    backup may know nothing of.
    """
    attempt = _reserve(cycle_id, number)
    if attempt is not None and attempt.status == AttemptStatus.SENT:
        send_charge(attempt)
        return
    cycle = Cycle.objects.select_related("subscription").get(pk=cycle_id)
    sent = Attempt.objects.filter(gateway_reference=_reference(cycle, number)).first()
    if sent is not None and sent.status in UNANSWERED:
        ask(sent.pk)


def lost_charges() -> QuerySet[Attempt]:
    """Return our charges whose answer was lost, the oldest first."""
    now = clock.now()
    lost = Attempt.objects.filter(
        initiated_by="merchant", status__in=UNANSWERED, created_at__lt=now - LOST_AFTER
    )
    rested = Q(sent_again_at__isnull=True) | Q(sent_again_at__lt=now - AGAIN_AFTER)
    return lost.filter(rested).order_by("created_at")


def queue_lost() -> int:
    """Queue the lost charges that can be sent again without taking money twice; return how many."""
    from tillgate.subscriptions.jobs import send_lost_charge_again  # The job calls this module.

    queued = 0
    # Some can never be sent again; those that can are behind them.
    for attempt in lost_charges().select_related("payment__merchant").iterator():
        gateway = charger_of(attempt)
        if queued < BATCH and gateway is not None and _is_sent_again(attempt, gateway):
            send_lost_charge_again.using(unique_key=f"again-{attempt.pk}").enqueue(attempt.pk)
            queued += 1
    return queued


def send_again(attempt_id: int) -> None:
    """Send a lost charge again under its own reference, unless its subscription was stopped meanwhile."""
    known = Attempt.objects.select_related("payment__merchant").get(pk=attempt_id)
    gateway = charger_of(known)
    attempt = _reserve_again(known, gateway) if gateway else None
    if attempt is not None:
        send_charge(attempt)


def charge_prefix(payment: Payment) -> str:
    """Return what the names of all charges for this payment begin with; empty where none are made for it."""
    cycle = Cycle.objects.select_related("subscription").filter(payment=payment).first()
    return _prefix(cycle) if cycle else ""


def _queue_reminders(due: QuerySet[Cycle]) -> None:
    """One job each: a reminder that fails holds back neither the others nor any charge."""
    from tillgate.subscriptions.jobs import remind_customer  # The job's module imports this one.

    waiting = due.order_by("next_try_at", "pk").values_list("pk", flat=True)[:REMINDERS_AT_ONCE]
    enqueue_all(remind_customer, [Call(args=(pk,), unique_key=f"remind-{pk}") for pk in waiting])


def _queue(due: QuerySet[Cycle]) -> int:
    """Queue as many as a gateway is to get until the next look, spread over that time."""
    most = settings.TILLGATE_RENEWALS_PER_SECOND * PERIOD_S
    began, apart, queued = clock.now(), timedelta(seconds=PERIOD_S) / most, 0
    while queued < most:
        times = [began + place * apart for place in range(queued, min(queued + BATCH, most))]
        count = _queue_batch(due, times)
        queued += count
        if count < len(times):
            break
    return queued


@transaction.atomic
def _queue_batch(due: QuerySet[Cycle], times: Sequence[datetime]) -> int:
    from tillgate.subscriptions.jobs import charge_cycle as job  # The job calls this module.

    rows = due.order_by("next_try_at", "pk").select_for_update(
        of=("self",), skip_locked=connection.features.has_select_for_update_skip_locked
    )
    tries = [(pk, tries + 1) for pk, tries in rows.values_list("pk", "tries")[: len(times)]]
    # The job reads all of it anew, under locks, and the number of its try stands in its key.
    enqueue_all(
        job,
        [
            Call(args=(pk, number), run_after=at, unique_key=f"charge-{pk}-{number}")
            for (pk, number), at in zip(tries, times, strict=False)
        ],
    )
    Cycle.objects.filter(pk__in=[pk for pk, _ in tries]).update(next_try_at=None)
    return len(tries)


@transaction.atomic
def _reserve(cycle_id: int, number: int) -> Attempt | None:
    """Write the charge down under the locks of subscription and payment; None when none is to be made."""
    subscription = lock_subscription(Cycle.objects.values_list("subscription_id", flat=True).get(pk=cycle_id))
    cycle = Cycle.objects.get(pk=cycle_id)
    cycle.subscription = subscription
    # The failure of the try before decides whether there is another.
    is_next = cycle.tries == cycle.tries_judged == number - 1
    if not is_next or cycle.status != CycleStatus.OPEN or subscription.status not in COLLECTING:
        return None
    if restoration.is_holding():
        cycle.next_try_at = clock.now()  # The queue's turn again, once released.
        cycle.save(update_fields=["next_try_at"])
        return None
    method = subscription.payment_method
    if method is None or method.removed_at is not None:
        cycle.needs_customer = True
    if cycle.needs_customer or subscription.collection != Collection.CHARGE or method is None:
        cycle.next_try_at = clock.now()  # The customer's turn: they are reminded.
        cycle.save(update_fields=["needs_customer", "next_try_at"])
        return None
    assert cycle.payment_id is not None, "an open cycle has a payment"
    payment = lock_payment(cycle.payment_id)
    if payment.status not in PAYABLE or payment.expires_at <= clock.now():
        return None
    if _follows_what_was_brought(cycle, payment):
        return None
    sent_since = _sent_since(cycle)
    # What is only asked about waits for nobody.
    if sent_since is None and (wait := _while_customer_pays(payment)):
        cycle.next_try_at = clock.now() + wait
        cycle.save(update_fields=["next_try_at"])
        return None
    attempt = reserve_charge(payment, method, _reference(cycle, number), sent_since=sent_since)
    cycle.tries = number
    cycle.save(update_fields=["tries"])
    return attempt


def _is_sent_again(attempt: Attempt, gateway: ChargesSaved) -> bool:
    """Not what was lost before a backup was restored: its customer may have paid another way since."""
    if restoration.is_holding() or restoration.missed(attempt.created_at):
        return False
    return may_be_sent_again(attempt, gateway)


@transaction.atomic
def _reserve_again(known: Attempt, gateway: ChargesSaved) -> Attempt | None:
    cycle = Cycle.objects.get(payment_id=known.payment_id)
    subscription = lock_subscription(cycle.subscription_id)
    lock_payment(known.payment_id)
    attempt = lost_charges().select_related("payment__merchant", "payment_method").filter(pk=known.pk).first()
    if attempt is None or not _is_sent_again(attempt, gateway):
        return None
    method = attempt.payment_method
    by_charge = subscription.status in COLLECTING and subscription.collection == Collection.CHARGE
    if not by_charge or method is None or method.removed_at is not None:
        return None
    # What it said before of not knowing it no longer counts.
    attempt.sent_again_at, attempt.absences = clock.now(), 0
    attempt.save(update_fields=["sent_again_at", "absences"])
    return attempt


def _follows_what_was_brought(cycle: Cycle, payment: Payment) -> bool:
    """Say whether a person has brought a try of a lost installation (adopt-attempt), and let the next one be
    the one after it, once that is final."""
    if restoration.began_at() is None:
        return False
    tries = list(payment.attempts.filter(initiated_by="merchant"))
    newest = max(map(try_number, tries), default=0)
    is_on_its_way = any(one.status in OPEN_ATTEMPTS for one in tries)
    if not is_on_its_way and newest <= cycle.tries:
        return False
    cycle.tries = cycle.tries_judged = max(cycle.tries, newest)
    cycle.next_try_at = clock.now() + (LOOKED_AT_AGAIN if is_on_its_way else timedelta(0))
    cycle.save(update_fields=["tries", "tries_judged", "next_try_at"])
    return True


def _sent_since(cycle: Cycle) -> datetime | None:
    """Return since when its next try may have been sent without our knowing; None where it surely was not.

    A backup was restored, and the lost installation may have tried to collect whatever was due while it ran:
    several times, and earlier than planned where its customer had changed the card.
    """
    gaps = restoration.gaps(cycle.due_at)
    return next((known.backed_up_at for known in gaps if not _is_over(cycle, known)), None)


def _is_over(cycle: Cycle, known: Restoration) -> bool:
    """Say whether one was made since, or a person has found that the lost installation made no more
    (resolve-charge)."""
    tries = Attempt.objects.filter(payment=cycle.payment_id, initiated_by="merchant")
    return any(
        one.created_at > known.ran_until
        or (one.created_at == known.backed_up_at and (one.failure or {}).get("code") == NOT_SENT.code)
        for one in tries
    )


def _while_customer_pays(payment: Payment) -> timedelta | None:
    """Return how long to wait for a customer who has opened a gateway's page; None: nobody is paying.

    A page that declined one card takes the next. Its money may just have come in, so the gateways of older
    ones are asked before we charge, and while one of them is silent we do not.
    """
    if payment.asked_at is None:
        return None  # Nobody has tried to pay it.
    tries = payment.attempts.filter(initiated_by="customer", status__in=ASKED_ATTEMPTS)
    pages = list(tries.exclude(status=AttemptStatus.FAILED, redirect_url=""))
    recently = clock.now() - CUSTOMER_PAYS
    if any((page.handed_out_at or page.created_at) > recently for page in pages):
        return CUSTOMER_PAYS
    is_answered = payment.asked_at > clock.now() - ASKED_BEFORE and not any(page.silences for page in pages)
    if is_answered or not pages:
        return None
    make_question_due(payment)
    return ASKED_BEFORE - timedelta(minutes=5)


def _reference(cycle: Cycle, number: int) -> str:
    """Our name for the try at the gateway: the same for each repeat of it."""
    return f"{_prefix(cycle)}{number}"


def _prefix(cycle: Cycle) -> str:
    return f"{cycle.subscription.reference}-{cycle.index}-"
