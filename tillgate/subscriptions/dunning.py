"""What follows a charge that failed: tried again soon, some days later, or never; pure functions."""

import hashlib
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.conf import settings


class Reaction(StrEnum):
    """What a failure is to us."""

    FAULT = "fault"  # Of a gateway or a network: the bank has not been asked, or has not answered.
    SOFT = "soft"  # The bank declined, and may not another day.
    HARD = "hard"  # The method is of no use any more, or the customer has to act.


# Every code of `declines.DECLINES`, and the two of a charge that never became one.
REACTIONS = {
    "bank_unreachable": Reaction.FAULT,
    "gateway_down": Reaction.FAULT,
    "gateway_unreachable": Reaction.FAULT,
    "gateway_refused": Reaction.FAULT,
    "declined": Reaction.SOFT,
    "insufficient_funds": Reaction.SOFT,
    "do_not_honor": Reaction.SOFT,
    "limit_exceeded": Reaction.SOFT,
    "customer_canceled": Reaction.SOFT,
    "session_expired": Reaction.SOFT,
    "unknown": Reaction.SOFT,
    "lost_or_stolen": Reaction.HARD,
    "fraud_suspected": Reaction.HARD,
    "method_not_usable": Reaction.HARD,
    "invalid_card": Reaction.HARD,
    "expired_card": Reaction.HARD,
    "compliance": Reaction.HARD,
    "authentication_failed": Reaction.HARD,
    "restricted_card": Reaction.HARD,
}
OPENS, OPEN_S = time(9), 8 * 3600  # From nine to five, Monday to Friday.
REST = timedelta(hours=20)  # A bank is never asked twice on the same day.
PAYDAY, NEAR_PAYDAY = 25, 18
FAULT_LADDER_S = (5 * 60, 20 * 60, 3600, 4 * 3600, 12 * 3600)


def reaction_to(code: str) -> Reaction:
    """Return what a failure's code means for the next charge; see `declines.DECLINES`."""
    return REACTIONS[code]


def retry_days(text: str) -> tuple[int, ...]:
    """Read TILLGATE_RETRY_DAYS: increasing whole days, as "1,3,5,7". Raises ValueError, which says why."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() for word in words):
        raise ValueError("it is not whole days, separated by commas")
    if len(words) > 10:
        raise ValueError("it has more than ten days")
    days = tuple(map(int, words))
    if list(days) != sorted(set(days)) or days[0] < 1 or days[-1] > 30:
        raise ValueError("its days do not increase from 1 to 30")
    return days


def retry_at(
    first_declined_at: datetime, declines: int, *, zone: str, key: str, around_paydays: bool
) -> datetime | None:
    """Return when to charge again after soft decline number `declines` of a cycle; None: no more.

    On the 1st, 3rd, 5th and 7th day (a setting) after the first decline, on a working day between nine
    and five in the merchant's zone; `key` spreads subscriptions over the day, the same for each call.
    `around_paydays`: what would fall outside the 25th to the 1st, and is near the 25th, waits for it.
    Counted from the first decline alone, it may have passed already where the last one came late, after
    a downtime: `working_time` of that one and `REST` is then the earliest.
    """
    assert declines > 0, "a ladder begins at the first decline"
    days = retry_days(settings.TILLGATE_RETRY_DAYS)
    if declines > len(days):
        return None
    first_day = datetime.combine(_local(first_declined_at, zone).date(), time(), ZoneInfo(zone))
    slot = first_declined_at
    for day in days[:declines]:
        slot = working_time(max(first_day + timedelta(days=day), slot + REST), zone=zone, key=key)
        if around_paydays:
            slot = working_time(_payday(_local(slot, zone)), zone=zone, key=key)
    return slot


def working_time(earliest: datetime, *, zone: str, key: str) -> datetime:
    """Return the first time of `key` from `earliest` on, in UTC: it has the same one on each working day."""
    opens = datetime.combine(_local(earliest, zone).date(), OPENS, ZoneInfo(zone))
    slot = opens + timedelta(seconds=_spread(key, OPEN_S))
    while slot < earliest or slot.weekday() > 4:
        slot += timedelta(days=1)
    return slot.astimezone(UTC)


def fault_retry_at(now: datetime, faults: int, *, key: str) -> datetime | None:
    """Return when to charge again after fault number `faults` of a cycle; None: it counts as a decline."""
    assert faults > 0, "a ladder begins at the first fault"
    if faults > len(FAULT_LADDER_S):
        return None
    wait_s = FAULT_LADDER_S[faults - 1]
    return now + timedelta(seconds=wait_s + _spread(f"{key} {faults}", wait_s // 4))


def _payday(local: datetime) -> datetime:
    """The start of the 25th, for what falls into the week before it."""
    near = NEAR_PAYDAY <= local.day < PAYDAY
    return local.replace(day=PAYDAY, hour=0, minute=0, second=0) if near else local


def _spread(key: str, below: int) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % below


def _local(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone))
