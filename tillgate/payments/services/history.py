"""What belongs into the history of somebody with an account: attached when they come to look."""

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet
from django.db.models.functions import Lower

from tillgate.merchants.models import User
from tillgate.payments.models import Payment

SPAN = 200_000  # Rows that one statement looks through.
BATCH = 200  # Rows of one transaction: SQLite has one writer, and each is locked.
# A row may commit after one with a higher key that was looked at already: so many are looked at again.
MARGIN = 5_000


def attach_payments(user: User) -> int:
    """Take payments of their confirmed e-mail that nobody was signed in for into somebody's history.

    Of any merchant and mode; return how many. What is another's stays another's. No transaction is open
    while rows are looked through, so this is not to be called in one.
    """
    return attach(Payment.objects.all(), user, "payments_seen")


def attach(rows: QuerySet[Any], user: User, mark: str) -> int:
    """Do so with any rows that have `account` and `customer_email`; `mark` is the field of the user that
    says up to which key they were looked through for this e-mail."""
    if user.confirmed_email is None:
        return 0
    attached = 0
    for found, last in _look(rows, user, getattr(user, mark)):
        for start in range(0, len(found), BATCH):
            attached += _take(rows, user, found[start : start + BATCH])
        _remember(user, mark, last)
    return attached


def _look(rows: QuerySet[Any], user: User, seen: int) -> Iterator[tuple[list[int], int]]:
    """Yield the keys of what is theirs, span by span, each with the last key that was looked at."""
    newest = rows.aggregate(newest=Max("pk"))["newest"] or 0
    nobodys = rows.filter(account__isnull=True).alias(address=Lower("customer_email"))
    theirs = nobodys.filter(address=user.confirmed_email).order_by("pk").values_list("pk", flat=True)
    for start in range(seen, newest, SPAN):
        last = min(start + SPAN, newest)
        yield list(theirs.filter(pk__gt=start, pk__lte=last)), last


@transaction.atomic
def _take(rows: QuerySet[Any], user: User, keys: list[int]) -> int:
    # Locked, so that the e-mail is confirmed for nobody else in between.
    if not User.objects.select_for_update(no_key=True).filter(**_same(user)).exists():
        return 0
    free = rows.select_for_update(no_key=True).filter(pk__in=keys, account__isnull=True)
    locked = list(free.order_by("pk").values_list("pk", flat=True))
    return rows.filter(pk__in=locked).update(account=user)


def _remember(user: User, mark: str, last: int) -> None:
    # Not at each visit: a read should seldom write.
    if last - MARGIN > getattr(user, mark) + MARGIN:
        setattr(user, mark, last - MARGIN)
        User.objects.filter(**_same(user)).update(**{mark: last - MARGIN})


def _same(user: User) -> dict[str, Any]:
    return {"pk": user.pk, "confirmed_email": user.confirmed_email, "is_active": True}
