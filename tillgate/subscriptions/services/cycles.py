"""Open the cycles that are due: a row, its payment, and when it is tried first. No gateway is called."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from tillgate.common import clock, restoration
from tillgate.events.services.outbox import tell_created
from tillgate.gateways.protocol import Mode
from tillgate.payments.models import Payment
from tillgate.payments.services.start import NewPayment, build_payment
from tillgate.payments.states import MethodSaving
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.services.mails import Mail, tell
from tillgate.subscriptions.states import Collection, CycleStatus, Interval

BATCH = 50  # Rows in one transaction: SQLite has one writer.
MOST_AT_ONCE = 5_000
# A link is sent so long before the due date.
LEADS = {Interval.DAILY: timedelta(0), Interval.WEEKLY: timedelta(days=1)}
LEAD = timedelta(days=3)
PAYABLE_FOR = timedelta(days=60)  # After the due date: twice as long as a ladder of retries may be.
MISSED_AFTER = timedelta(hours=24)
MOST_SKIPPED = 1_000  # Rows for cycles that were missed, at one opening.
POINTER = ("next_index", "next_opens_at", "cycles_left")


@dataclass(kw_only=True)
class Opening:
    """What one batch writes, gathered for one INSERT a table."""

    payments: list[Payment] = field(default_factory=list)
    cycles: list[Cycle] = field(default_factory=list)
    skipped: list[Cycle] = field(default_factory=list)


def open_due() -> int:
    """Open every cycle that is due, in batches of one transaction each; return how many.

    Any number of workers may do so at once: a subscription is one worker's, and a cycle is opened once.
    """
    opened = 0
    while opened < MOST_AT_ONCE and (count := _open_batch()):
        opened += count
    return opened


def open_next(subscription: Subscription) -> Cycle:
    """Open the next cycle of a locked subscription before it is due, for a customer who pays early."""
    index = subscription.next_index
    due_at = subscription.rhythm.due_at(index)
    payment = _payment_of(subscription, due_at)
    payment.save(force_insert=True)
    tell_created([payment])
    cycle = Cycle.objects.create(
        subscription=subscription, index=index, due_at=due_at, payment=payment, next_try_at=due_at
    )
    advance(subscription, index + 1, opened=True)
    subscription.save(update_fields=POINTER)
    return cycle


def advance(subscription: Subscription, index: int, *, opened: bool) -> None:
    """Let `index` be the next cycle to open, if any is left; the caller saves the fields of POINTER."""
    if opened and subscription.cycles_left is not None:
        subscription.cycles_left -= 1
    subscription.next_index = index
    subscription.next_opens_at = None if subscription.cycles_left == 0 else opens_at(subscription, index)


def opens_at(subscription: Subscription, index: int) -> datetime:
    """Return when a cycle is opened: when it is due, or some days before where a link is sent."""
    return subscription.rhythm.due_at(index) - lead_of(subscription)


def lead_of(subscription: Subscription) -> timedelta:
    """Return how long before its due date a cycle is opened."""
    if subscription.collection == Collection.CHARGE:
        return timedelta(0)
    return LEADS.get(Interval(subscription.interval), LEAD)


def skip(subscription: Subscription, until: int) -> list[Cycle]:
    """Return the rows, not saved, of cycles that are never to be collected; they do not count."""
    first = max(subscription.next_index, until - MOST_SKIPPED)
    return [
        Cycle(
            subscription=subscription,
            index=index,
            due_at=subscription.rhythm.due_at(index),
            status=CycleStatus.SKIPPED,
        )
        for index in range(first, until)
    ]


def skip_to_ahead(subscription: Subscription) -> list[Cycle]:
    """Let the first due date that lies ahead be the next cycle; the caller saves the fields of POINTER.

    Return the rows, not saved, of the cycles that are skipped by that.
    """
    last = subscription.rhythm.last_due(subscription.next_index, clock.now())
    ahead = subscription.next_index if last is None or subscription.cycles_left == 0 else last + 1
    skipped = skip(subscription, ahead)
    advance(subscription, ahead, opened=False)
    return skipped


@transaction.atomic
def _open_batch() -> int:
    now = clock.now()
    rows = Subscription.objects.due(now).select_related("merchant")
    locked = rows.select_for_update(
        of=("self",), skip_locked=connection.features.has_select_for_update_skip_locked
    )
    due = list(locked[:BATCH])
    opening = Opening()
    for subscription in due:
        _open(subscription, now, opening)
    Payment.objects.bulk_create(opening.payments)
    tell_created(opening.payments)
    for cycle, payment in zip(opening.cycles, opening.payments, strict=True):
        cycle.payment = payment
    Cycle.objects.bulk_create(opening.cycles + opening.skipped)
    Subscription.objects.bulk_update(due, POINTER)
    _send_links(opening.cycles)
    return len(due)


def _open(subscription: Subscription, now: datetime, opening: Opening) -> None:
    last = subscription.rhythm.last_due(subscription.next_index, now + lead_of(subscription))
    if last is None:  # The zone's clock was changed by law since this was worked out.
        advance(subscription, subscription.next_index, opened=False)
        return
    index, collects = _which(subscription, last, now)
    opening.skipped += skip(subscription, index)
    due_at = subscription.rhythm.due_at(index)
    if collects:
        opening.payments.append(_payment_of(subscription, due_at))
        first_try = now if subscription.collection == Collection.CHARGE else due_at
        opening.cycles.append(
            Cycle(subscription=subscription, index=index, due_at=due_at, next_try_at=first_try)
        )
    else:
        subscription.next_index = index
        opening.skipped += skip(subscription, index + 1)
    advance(subscription, index + 1, opened=collects)


def _which(subscription: Subscription, last: int, now: datetime) -> tuple[int, bool]:
    """Return the cycle to open, and whether it is collected; those before it were missed. `last` is due.

    After a downtime over several due dates the setting decides: the latest, all one after the other, or
    none of those that are a day late. What may have been charged before a backup was restored is opened in
    any case, to be looked up: it counts.
    """
    if restoration.missed(subscription.rhythm.due_at(subscription.next_index)):
        return subscription.next_index, True
    if settings.TILLGATE_MISSED_CYCLES == "all":
        return subscription.next_index, True
    is_late = subscription.rhythm.due_at(last) < now - MISSED_AFTER
    return last, not (is_late and settings.TILLGATE_MISSED_CYCLES == "none")


def _payment_of(subscription: Subscription, due_at: datetime) -> Payment:
    mode: Mode = "live" if subscription.mode == "live" else "test"
    by_charge = subscription.collection == Collection.CHARGE
    now = clock.now()
    new = NewPayment(
        merchant=subscription.merchant,
        mode=mode,
        created_by="schedule",
        account_id=subscription.account_id,
        customer_name=subscription.customer_name,
        customer_email=subscription.customer_email,
        amount=subscription.amount,
        description=subscription.description,
        gateway=subscription.gateway,
        return_url=subscription.return_url,
        metadata=subscription.metadata,
        expires_in=max(due_at, now) + PAYABLE_FOR - now,
        subscription_reference=subscription.reference,
        method_saving=MethodSaving.OFFERED if by_charge else MethodSaving.NO,
    )
    return build_payment(new, now)


def _send_links(cycles: Sequence[Cycle]) -> None:
    for cycle in cycles:
        if cycle.subscription.collection == Collection.SEND_LINK:
            tell(cycle.subscription, Mail.PAY_LINK, cycle)
