"""Post movements of money, in the transaction of the change that causes them."""

from dataclasses import dataclass

from django.db import connection

from tillgate.common import clock
from tillgate.ledger.models import Account, Entry
from tillgate.money import Money


@dataclass(frozen=True, kw_only=True)
class Movement:
    """`amount` leaves `source` and arrives in `target`. `journal` names the movement: the database
    takes each name once, so a movement cannot be posted twice."""

    journal: str
    merchant_id: int
    gateway: str
    subject: str
    source: Account
    target: Account
    amount: Money


def post(movement: Movement) -> None:
    """Write both sides of a movement in one statement; they sum to zero."""
    assert connection.in_atomic_block, "a movement is posted in the transaction of the change that causes it"
    assert movement.amount.minor > 0 and movement.source != movement.target
    Entry.objects.bulk_create(
        [_entry(movement, movement.target, 1), _entry(movement, movement.source, -1)],
    )


def _entry(movement: Movement, account: Account, sign: int) -> Entry:
    return Entry(
        merchant_id=movement.merchant_id,
        journal=movement.journal,
        account=account,
        gateway=movement.gateway,
        subject=movement.subject,
        amount_minor=sign * movement.amount.minor,
        currency=movement.amount.currency,
        created_at=clock.now(),
    )
