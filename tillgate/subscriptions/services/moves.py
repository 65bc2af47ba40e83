"""The only writer of a status of subscriptions and cycles. Callers hold the subscription's row lock."""

from typing import Any

from django.db import connection

from tillgate.events.services import record_event
from tillgate.subscriptions.errors import NotPossible
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.states import CYCLE_MOVES, SUBSCRIPTION_MOVES, CycleStatus, SubscriptionStatus


def lock_subscription(subscription_id: int) -> Subscription:
    """Return the subscription with its row locked until the transaction ends; whoever writes starts here.

    A payment's lock is only ever taken after it.
    """
    assert connection.in_atomic_block, "a lock lives in a transaction"
    return Subscription.objects.select_for_update(no_key=True).get(pk=subscription_id)


def move_subscription(
    subscription: Subscription,
    to: SubscriptionStatus,
    type: str,
    data: dict[str, object] | None = None,
    **changes: Any,
) -> None:
    """Move a locked subscription, with `changes` to its other fields and its event.

    Raises NotPossible for a move that the table does not have.
    """
    current = SubscriptionStatus(subscription.status)
    if to not in SUBSCRIPTION_MOVES.get(current, frozenset()):
        possible = ", ".join(sorted(SUBSCRIPTION_MOVES.get(current, ()))) or "nothing: it has ended"
        raise NotPossible(
            f"{subscription.reference} is {current} and cannot become {to}. It can become {possible}."
        )
    note(subscription, type, data, status=to, **changes)


def note(
    subscription: Subscription, type: str, data: dict[str, object] | None = None, **changes: Any
) -> None:
    """Write a line on a locked subscription's timeline, together with `changes` to its fields."""
    for name, value in changes.items():
        setattr(subscription, name, value)
    subscription.sequence += 1
    subscription.save(update_fields=["sequence", *changes])
    record_event(subscription, type, sequence=subscription.sequence, data=data)


def move_cycle(cycle: Cycle, to: CycleStatus) -> bool:
    """Move a cycle of a locked subscription; say whether the table has the move.

    What has ended is not tried again.
    """
    if to not in CYCLE_MOVES.get(CycleStatus(cycle.status), frozenset()):
        return False
    cycle.status, cycle.next_try_at = to, None
    cycle.save(update_fields=["status", "next_try_at"])
    return True
