"""When a recurring payment is due: pure functions over the calendar of the merchant's zone."""

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from tillgate.subscriptions.errors import InvalidSchedule
from tillgate.subscriptions.states import Interval

DAYS = {Interval.DAILY: 1, Interval.WEEKLY: 7}
MONTHS = {Interval.MONTHLY: 1, Interval.QUARTERLY: 3, Interval.YEARLY: 12}
# From one due date to the next it is ten years at most.
MOST = {
    Interval.DAILY: 3_650,
    Interval.WEEKLY: 520,
    Interval.MONTHLY: 120,
    Interval.QUARTERLY: 40,
    Interval.YEARLY: 10,
}
# With ten years a step, whatever is ever reached is far from where the calendar ends.
ANCHOR_YEARS = range(2000, 2101)


@dataclass(frozen=True, kw_only=True)
class Rhythm:
    """`anchor_at` is when the cycle `anchor_index` is due; `zone` is the merchant's.

    Raises InvalidSchedule for a step of more than ten years and for an anchor outside of 2000 to 2100.
    """

    interval: Interval
    count: int
    anchor_at: datetime
    zone: str
    anchor_index: int = 0

    def __post_init__(self) -> None:
        assert self.anchor_at.tzinfo is not None, "an anchor without a zone is no point in time"
        if not 1 <= self.count <= MOST[self.interval]:
            raise InvalidSchedule(
                f"A {self.interval} payment has an interval count of 1 to {MOST[self.interval]}."
            )
        if self.anchor_at.year not in ANCHOR_YEARS:
            raise InvalidSchedule(
                f"The first due date is in the years {ANCHOR_YEARS[0]} to {ANCHOR_YEARS[-1]}."
            )

    def due_at(self, index: int) -> datetime:
        """Return when a cycle is due, in UTC: the anchor and so many intervals, at the same local time.

        Each date is counted from the anchor, so that one clamped to the end of a short month makes no
        later one drift. A local time that a change of clocks skips is taken after it; one that comes
        twice, at the first. Raises InvalidSchedule where the calendar has no such date any more.
        """
        steps = (index - self.anchor_index) * self.count
        if steps == 0:
            return self.anchor_at.astimezone(UTC)  # It may stand in the second of two equal hours.
        anchor = self._local(self.anchor_at)
        try:
            if self.interval in DAYS:
                day = anchor.date() + timedelta(days=steps * DAYS[self.interval])
            else:
                day = add_months(anchor.date(), steps * MONTHS[self.interval])
            return datetime.combine(day, anchor.timetz().replace(fold=0)).astimezone(UTC)
        except (OverflowError, ValueError):
            raise InvalidSchedule(f"Cycle {index + 1} would be due after the year 9999.") from None

    def last_due(self, first: int, now: datetime) -> int | None:
        """Return the latest cycle from `first` on that is due at `now`; None where none is."""
        anchor, today = self._local(self.anchor_at), self._local(now)
        if self.interval in DAYS:
            steps = (today.date() - anchor.date()).days // (self.count * DAYS[self.interval])
        else:
            months = (today.year - anchor.year) * 12 + today.month - anchor.month
            steps = months // (self.count * MONTHS[self.interval])
        # One step more: clocks that go back over midnight make today yesterday again.
        index = self.anchor_index + steps + 1
        while index >= first and self.due_at(index) > now:
            index -= 1
        return index if index >= first else None

    def changed(self, index: int, *, interval: Interval, count: int) -> Self:
        """Return the rhythm that goes on in other steps from cycle `index`, whose date stays.

        A month too short for the day agreed on makes the later ones no shorter: what was due on the 31st
        and moves to quarters on 28 February is due on 31 May.
        """
        moved = replace(
            self, interval=interval, count=count, anchor_at=self.due_at(index), anchor_index=index
        )
        if self.interval in DAYS or interval in DAYS or index == self.anchor_index:
            return moved
        agreed = self._local(self.anchor_at)
        for later in range(index, index + 12):
            month = self._local(moved.due_at(later))
            day = min(agreed.day, monthrange(month.year, month.month)[1])
            anchor_at = datetime.combine(month.replace(day=day), agreed.timetz().replace(fold=0)).astimezone(
                UTC
            )
            shown = self._local(anchor_at)
            if (shown.day, shown.time()) == (agreed.day, agreed.time()):
                return replace(moved, anchor_at=anchor_at, anchor_index=later)
        return moved  # Once a year in a February that is due on the 30th or 31st: there is no such day.

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(ZoneInfo(self.zone))


def add_months(day: date, months: int) -> date:
    """Return the same day so many months later, or the last day of that month where it has none such."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
