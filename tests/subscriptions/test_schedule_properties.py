"""What holds for every rhythm: any interval, count, zone and anchor."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tillgate.subscriptions.schedule import DAYS, MONTHS, MOST, Rhythm, add_months
from tillgate.subscriptions.states import Interval

# No zone has skipped a whole day since 2011, which would make two due dates of a daily rhythm one.
ZONES = sorted(available_timezones() - {"Factory", "localtime"})
ODD_ZONES = ["Europe/Berlin", "America/Nuuk", "Africa/Cairo", "Africa/Casablanca", "Australia/Lord_Howe"]
YEARS = range(2012, 2051)
moments = st.datetimes(
    min_value=datetime.fromisoformat("2012-01-02"),
    max_value=datetime.fromisoformat("2050-12-30"),
    timezones=st.just(UTC),
)
later = st.integers(min_value=0, max_value=150)


@cache
def changes_of_clocks(zone):
    start = datetime(YEARS[0], 1, 2, tzinfo=UTC)
    days = [start + timedelta(days=n) for n in range(365 * len(YEARS))]
    offsets = [day.astimezone(ZoneInfo(zone)).utcoffset() for day in days]
    return [day for day, now, then in zip(days, offsets, offsets[1:], strict=False) if now != then]


@st.composite
def near_a_change_of_clocks(draw):
    """A zone, and a point of time on a quarter of an hour near a change: there the hard ones are."""
    zone = draw(st.sampled_from(ODD_ZONES))
    near = timedelta(minutes=15 * draw(st.integers(-96, 192)))
    return zone, draw(st.sampled_from(changes_of_clocks(zone))) + near


@st.composite
def rhythms(draw, intervals=Interval):
    interval = draw(st.sampled_from(sorted(intervals)))
    zone, anchor_at = draw(st.tuples(st.sampled_from(ZONES), moments) | near_a_change_of_clocks())
    return Rhythm(
        interval=interval,
        count=draw(st.integers(1, 10) | st.integers(1, MOST[interval])),
        anchor_at=anchor_at,
        zone=zone,
        anchor_index=draw(st.integers(0, 40)),
    )


def local(moment, rhythm):
    return moment.astimezone(ZoneInfo(rhythm.zone))


def is_skipped(naive, zone):
    return naive.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != naive


@settings(max_examples=400, deadline=None)
@given(rhythms(), later)
def test_due_dates_strictly_increase(rhythm, later):
    index = rhythm.anchor_index + later
    assert rhythm.due_at(index) < rhythm.due_at(index + 1) < rhythm.due_at(index + 2)


@settings(max_examples=400, deadline=None)
@given(rhythms(), later)
def test_the_local_time_is_kept_but_where_the_clocks_skip_it(rhythm, later):
    index = rhythm.anchor_index + later
    due, anchor = local(rhythm.due_at(index), rhythm), local(rhythm.anchor_at, rhythm)

    if due.time() != anchor.time():
        same_day = datetime.combine(due.date(), anchor.time())
        assert any(
            is_skipped(wished, due.tzinfo)
            and timedelta(0) < due.replace(tzinfo=None) - wished <= timedelta(hours=2)
            for wished in (same_day, same_day - timedelta(days=1))
        )
    assert due.fold == 0 or later == 0


@settings(max_examples=400, deadline=None)
@given(rhythms(MONTHS), later)
def test_the_day_is_the_anchors_or_the_last_of_the_month(rhythm, later):
    index = rhythm.anchor_index + later
    due, anchor = local(rhythm.due_at(index), rhythm), local(rhythm.anchor_at, rhythm)

    assume(due.time() == anchor.time())  # In Nuuk a skipped 23:00 is midnight, and the next day.
    months = (due.year - anchor.year) * 12 + due.month - anchor.month
    assert months == later * rhythm.count * MONTHS[rhythm.interval]
    assert due.day == min(anchor.day, monthrange(due.year, due.month)[1])


@settings(max_examples=300, deadline=None)
@given(rhythms(DAYS), later)
def test_days_and_weeks_are_counted_on_the_merchants_calendar(rhythm, later):
    due, anchor = (
        local(rhythm.due_at(index), rhythm) for index in (rhythm.anchor_index + later, rhythm.anchor_index)
    )

    assume(due.time() == anchor.time())
    assert (due.date() - anchor.date()).days == later * rhythm.count * DAYS[rhythm.interval]


@settings(max_examples=400, deadline=None)
@given(rhythms(), st.integers(0, 200), later, st.integers(-7_200, 7_200))
def test_the_latest_due_is_that_of_a_search_one_by_one(rhythm, first, later, seconds):
    index = rhythm.anchor_index + later
    now = rhythm.due_at(index) + timedelta(seconds=seconds)

    due = [number for number in range(first, index + 3) if rhythm.due_at(number) <= now]

    assert rhythm.last_due(first, now) == (due[-1] if due else None)


@settings(max_examples=200, deadline=None)
@given(rhythms(), rhythms(), later)
def test_other_steps_leave_the_date_they_begin_at_and_increase_from_there(rhythm, other, later):
    index = rhythm.anchor_index + later
    assume(rhythm.due_at(index).year <= 2060)

    changed = rhythm.changed(index, interval=other.interval, count=other.count)

    assert changed.due_at(index) == rhythm.due_at(index)
    assert changed.due_at(index) < changed.due_at(index + 1) < changed.due_at(index + 2)


@settings(max_examples=200, deadline=None)
@given(rhythms(), later, later)
def test_steps_that_are_no_others_change_no_date(rhythm, first, more):
    index = rhythm.anchor_index + first
    assume(rhythm.due_at(index).year <= 2060)

    changed = rhythm.changed(index, interval=rhythm.interval, count=rhythm.count)

    drift = abs(changed.due_at(index + more) - rhythm.due_at(index + more))
    skipped = local(rhythm.due_at(index), rhythm).time() != local(rhythm.anchor_at, rhythm).time()
    # Days that begin anew in a skipped hour are that hour later from there on.
    assert drift <= timedelta(hours=2 if skipped and rhythm.interval in DAYS else 0)


@settings(max_examples=300, deadline=None)
@given(
    st.dates(min_value=date(1900, 1, 1), max_value=date(2400, 12, 31)),
    st.integers(0, 600),
    st.integers(0, 600),
)
def test_more_months_are_never_earlier(day, months, more):
    assert add_months(day, months) <= add_months(day, months + more)
