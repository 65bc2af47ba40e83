"""Due dates, each held against a calendar that is counted out day by day, over thirty years."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tillgate.subscriptions.errors import InvalidSchedule
from tillgate.subscriptions.schedule import MOST, Rhythm, add_months
from tillgate.subscriptions.states import Interval

ZONES = [
    "Africa/Lagos",
    "Africa/Nairobi",
    "Africa/Accra",
    "Africa/Johannesburg",
    "Africa/Cairo",
    "Europe/Berlin",
    "America/New_York",
    "Pacific/Auckland",
]
CHANGES_CLOCKS = ["Africa/Cairo", "Europe/Berlin", "America/New_York", "Pacific/Auckland"]
FIRST, LAST = date(2026, 1, 1), date(2057, 12, 31)
EVERY_DAY = [date.fromordinal(day) for day in range(FIRST.toordinal(), LAST.toordinal() + 1)]
LENGTHS = Counter((day.year, day.month) for day in EVERY_DAY)
MONTHS = {Interval.MONTHLY: 1, Interval.QUARTERLY: 3, Interval.YEARLY: 12}


def rhythm(interval, anchor, *, zone="Africa/Lagos", count=1, **fields):
    """`anchor` is local: a text of the ISO."""
    anchor_at = datetime.fromisoformat(anchor).replace(tzinfo=ZoneInfo(zone))
    return Rhythm(interval=Interval(interval), count=count, anchor_at=anchor_at, zone=zone, **fields)


def at(text):
    """What a clock on the wall shows: no zone."""
    return datetime.fromisoformat(text)


def local(moment, zone):
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def points_of(wished, zone):
    """Return the points of time at which the clocks of a zone show `wished`, and whether there are any.

    Tried with the offsets of the day before and of the day after; where neither fits, the clocks skip it.
    """
    naive = wished.replace(tzinfo=UTC)
    offsets = [(naive + timedelta(hours=hours)).astimezone(ZoneInfo(zone)).utcoffset() for hours in (-26, 26)]
    tried = sorted({naive - offset for offset in offsets})
    found = [moment for moment in tried if local(moment, zone) == wished]
    return (found, True) if found else (tried, False)


def expected(wished, zone):
    """The first of two; where the clocks skip it, as late as if they had not."""
    points, shown = points_of(wished, zone)
    return points[0] if shown else points[-1]


def month_by_month(anchor, step):
    """Yield the dates so many months apart, as far as the calendar above goes."""
    year, month = anchor.year, anchor.month
    while (year, month) in LENGTHS:
        yield date(year, month, min(anchor.day, LENGTHS[year, month]))
        for _ in range(step):
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("clock", ["00:30", "01:30", "02:30"])
def test_t03_thirty_years_of_days_through_every_change_of_clocks(zone, clock):
    daily = rhythm("daily", f"{FIRST}T{clock}", zone=zone)
    wished = [at(f"{day}T{clock}") for day in EVERY_DAY]

    due = [daily.due_at(index) for index in range(len(wished))]

    assert due == [expected(moment, zone) for moment in wished]
    assert all(before < after for before, after in pairwise(due))
    assert [local(moment, zone).date() for moment in due] == EVERY_DAY


@pytest.mark.parametrize("zone", CHANGES_CLOCKS)
def test_t03_those_years_hold_skipped_and_doubled_hours_in_each_zone_that_has_them(zone):
    hours = [
        points_of(datetime.combine(day, time(hour, 30)), zone) for day in EVERY_DAY for hour in (0, 1, 2, 23)
    ]

    assert sum(not shown for _, shown in hours) >= 30
    assert sum(len(points) == 2 for points, shown in hours if shown) >= 30


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("interval", MONTHS)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_t01_thirty_years_from_the_end_of_every_month(zone, interval, count):
    expected_on = cache(lambda day: expected(datetime.combine(day, time(2, 30)), zone))
    ends = [day for day in EVERY_DAY if day.year in (2027, 2028) and day.day >= 28]

    for end in ends:
        due = rhythm(interval, f"{end}T02:30", zone=zone, count=count)
        for index, day in enumerate(month_by_month(end, MONTHS[interval] * count)):
            assert due.due_at(index) == expected_on(day)


def test_t01_every_day_and_so_many_months_is_that_day_or_the_last_of_the_month():
    for day in EVERY_DAY[:1461]:
        for months, later in enumerate(month_by_month(day, 1)):
            assert add_months(day, months) == later


def test_t01_a_month_that_was_short_makes_no_later_one_short():
    monthly = rhythm("monthly", "2027-01-31T09:00")

    days = [local(monthly.due_at(index), "Africa/Lagos").day for index in range(26)]

    assert days[:14] == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 29]
    assert days[24:] == [31, 28]


def test_t02_a_year_from_29_february_is_the_28th_until_the_next_leap_year():
    yearly = rhythm("yearly", "2028-02-29T09:00")

    days = [f"{local(yearly.due_at(index), 'Africa/Lagos'):%Y-%m-%d}" for index in range(5)]

    assert days == ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]
    assert local(rhythm("yearly", "2096-02-29T09:00").due_at(4), "Africa/Lagos").day == 28  # 2100 has none.


@pytest.mark.parametrize(
    ("zone", "anchor", "due"),
    [
        ("Europe/Berlin", "2027-03-27T02:30", "2027-03-28T01:30"),  # Skipped: 03:30 of the summer.
        ("Europe/Berlin", "2027-10-30T02:30", "2027-10-31T00:30"),  # Doubled: the first, in summer still.
        ("America/New_York", "2027-03-13T02:30", "2027-03-14T07:30"),
        ("America/New_York", "2027-11-06T01:30", "2027-11-07T05:30"),
        ("Africa/Cairo", "2027-04-29T00:30", "2027-04-29T22:30"),  # Skipped at midnight: 01:30.
        ("Africa/Cairo", "2027-10-27T23:30", "2027-10-28T20:30"),
        ("Pacific/Auckland", "2027-09-25T02:30", "2027-09-25T14:30"),
        ("Africa/Lagos", "2027-03-27T02:30", "2027-03-28T01:30"),
    ],
)
def test_t03_a_skipped_time_is_taken_after_the_gap_and_a_doubled_one_at_the_first(zone, anchor, due):
    daily = rhythm("daily", anchor, zone=zone)

    assert daily.due_at(1) == datetime.fromisoformat(due).replace(tzinfo=UTC)
    assert local(daily.due_at(2), zone).time() == datetime.fromisoformat(anchor).time()


def test_t03_an_anchor_in_the_second_of_two_equal_hours_stays_there_and_the_rest_keep_the_local_time():
    second = datetime(2027, 10, 31, 1, 30, tzinfo=UTC)  # 02:30 in Berlin again.
    daily = Rhythm(interval=Interval.DAILY, count=1, anchor_at=second, zone="Europe/Berlin")

    assert daily.due_at(0) == second
    assert daily.due_at(1) == datetime(2027, 11, 1, 1, 30, tzinfo=UTC)
    assert daily.last_due(0, second - timedelta(seconds=1)) is None


def test_due_dates_are_in_utc_whatever_zone_the_anchor_is_written_in():
    assert rhythm("daily", "2027-01-01T09:00").due_at(0).tzinfo is UTC
    assert rhythm("daily", "2027-01-01T09:00").due_at(3).tzinfo is UTC


def test_the_day_is_that_of_the_merchants_calendar_not_of_utc():
    monthly = rhythm("monthly", "2027-01-31T00:30", zone="Pacific/Auckland")  # The 30th in UTC.

    assert local(monthly.due_at(1), "Pacific/Auckland") == at("2027-02-28T00:30")
    assert local(monthly.due_at(2), "Pacific/Auckland") == at("2027-03-31T00:30")


def test_cycles_count_from_the_anchors_index_on_and_before_it():
    monthly = rhythm("monthly", "2027-05-31T09:00", anchor_index=7)

    assert local(monthly.due_at(7), "Africa/Lagos") == at("2027-05-31T09:00")
    assert local(monthly.due_at(8), "Africa/Lagos") == at("2027-06-30T09:00")
    assert local(monthly.due_at(4), "Africa/Lagos") == at("2027-02-28T09:00")


@pytest.mark.parametrize(
    ("now", "latest"),
    [
        ("2027-01-31T08:59", None),
        ("2027-01-31T09:00", 0),
        ("2027-02-28T08:59", 0),
        ("2027-02-28T09:00", 1),
        ("2029-01-31T09:00", 24),
    ],
)
def test_the_latest_due_cycle_is_due_from_its_very_second_on(now, latest):
    moment = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo("Africa/Lagos"))

    assert rhythm("monthly", "2027-01-31T09:00").last_due(0, moment) == latest


def test_none_is_due_before_the_first_that_is_asked_for():
    assert rhythm("daily", "2027-01-01T09:00").last_due(40, datetime(2027, 2, 1, tzinfo=UTC)) is None


def test_the_latest_is_known_where_the_clocks_go_back_over_midnight():
    # In 2010 it was 0:01 on 7 November there, then 23:01 on the 6th again.
    daily = rhythm("daily", "2010-11-05T00:00:30", zone="America/St_Johns")
    again = daily.due_at(2) + timedelta(minutes=30)

    assert local(again, "America/St_Johns") == at("2010-11-06T23:30:30")
    assert [daily.last_due(0, moment) for moment in (daily.due_at(2), again)] == [2, 2]


@pytest.mark.parametrize(
    ("steps", "dates"),
    [
        (("monthly", 2), ["2027-02-28", "2027-04-30", "2027-06-30", "2027-08-31"]),
        (("quarterly", 1), ["2027-02-28", "2027-05-31", "2027-08-31", "2027-11-30"]),
        (("yearly", 1), ["2027-02-28", "2028-02-28", "2029-02-28", "2030-02-28"]),
        (("weekly", 1), ["2027-02-28", "2027-03-07", "2027-03-14", "2027-03-21"]),
    ],
)
def test_other_steps_begin_at_the_due_date_and_keep_the_day_that_was_agreed(steps, dates):
    monthly = rhythm("monthly", "2027-01-31T09:00", anchor_index=3)

    changed = monthly.changed(4, interval=Interval(steps[0]), count=steps[1])

    assert [f"{local(changed.due_at(index), 'Africa/Lagos'):%Y-%m-%d}" for index in range(4, 8)] == dates


def test_from_days_to_months_the_day_is_that_of_the_due_date():
    changed = rhythm("weekly", "2027-01-31T09:00").changed(4, interval=Interval.MONTHLY, count=1)

    assert local(changed.due_at(5), "Africa/Lagos") == at("2027-03-28T09:00")


def test_other_steps_from_the_anchor_on_leave_it_in_the_second_of_two_equal_hours():
    second = datetime(2027, 10, 31, 1, 30, tzinfo=UTC)
    monthly = Rhythm(interval=Interval.MONTHLY, count=1, anchor_at=second, zone="Europe/Berlin")

    assert monthly.changed(0, interval=Interval.YEARLY, count=1).due_at(0) == second


def test_other_steps_that_begin_at_a_skipped_time_keep_the_time_that_was_agreed():
    monthly = rhythm("monthly", "2028-01-26T02:30", zone="Europe/Berlin")  # 26 March 2028 has no 02:30.

    changed = monthly.changed(2, interval=Interval.QUARTERLY, count=1)

    shown = [f"{local(changed.due_at(index), 'Europe/Berlin'):%m-%d %H:%M}" for index in (2, 3, 4)]
    assert shown == ["03-26 03:30", "06-26 02:30", "09-26 02:30"]


def test_t11_beyond_2038_the_clocks_still_change():
    monthly = rhythm("monthly", "2037-12-19T04:14", zone="Europe/Berlin")

    assert monthly.due_at(1) == datetime(2038, 1, 19, 3, 14, tzinfo=UTC)
    assert monthly.due_at(7) == datetime(2038, 7, 19, 2, 14, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/New_York", "UTC"])
@pytest.mark.parametrize("index", [8_000, 10**6, 2**31, 10**18])
def test_t11_a_date_that_no_calendar_has_is_refused(zone, index):
    with pytest.raises(InvalidSchedule, match="9999"):
        rhythm("yearly", "2026-12-31T23:59:59", zone=zone).due_at(index)


@pytest.mark.parametrize(
    "anchor", ["9999-12-31T23:59:59", "2101-01-01T12:00", "1999-12-31T12:00", "0001-01-01"]
)
def test_t11_a_start_far_away_is_refused(anchor):
    with pytest.raises(InvalidSchedule, match="2000 to 2100"):
        rhythm("monthly", anchor)


@pytest.mark.parametrize("interval", Interval)
@pytest.mark.parametrize("beyond", [-1, 1])
def test_t11_a_step_is_one_to_so_many_as_make_ten_years(interval, beyond):
    rhythm(interval, "2027-01-31T09:00", count=1)
    ten_years = rhythm(interval, "2027-01-31T09:00", count=MOST[interval])
    assert 3_640 <= (ten_years.due_at(1) - ten_years.due_at(0)).days <= 3_653

    with pytest.raises(InvalidSchedule, match=f"1 to {MOST[interval]}"):
        rhythm(interval, "2027-01-31T09:00", count=0 if beyond < 0 else MOST[interval] + 1)
