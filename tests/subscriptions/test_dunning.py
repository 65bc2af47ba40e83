"""What follows a failed charge: which kind it is, and when it is made again."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from tillgate.gateways.declines import DECLINES
from tillgate.subscriptions.checks import check_retry_days
from tillgate.subscriptions.dunning import (
    REACTIONS,
    REST,
    Reaction,
    fault_retry_at,
    reaction_to,
    retry_at,
    retry_days,
    working_time,
)

ZONES = ["Africa/Lagos", "Africa/Cairo", "Europe/Berlin", "America/New_York", "Pacific/Auckland"]
moments = st.datetimes(
    min_value=datetime.fromisoformat("2024-01-01"),
    max_value=datetime.fromisoformat("2060-01-01"),
    timezones=st.just(UTC),
)
keys = st.text(min_size=1, max_size=30)


def lagos(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Africa/Lagos"))


def ladder(first, *, zone="Africa/Lagos", key="SUB-1", around_paydays=False, most=4):
    slots = [
        retry_at(first, number, zone=zone, key=key, around_paydays=around_paydays)
        for number in range(1, most + 1)
    ]
    return [slot.astimezone(ZoneInfo(zone)) for slot in slots if slot]


def days(slots):
    return [f"{slot:%m-%d}" for slot in slots]


def test_every_code_has_a_reaction_and_no_other_word_has_one():
    assert set(REACTIONS) == {*DECLINES, "gateway_unreachable", "gateway_refused"}


@pytest.mark.parametrize(
    ("reaction", "codes"),
    [
        (Reaction.FAULT, "bank_unreachable gateway_down gateway_unreachable gateway_refused"),
        (Reaction.SOFT, "insufficient_funds do_not_honor unknown session_expired customer_canceled"),
        (Reaction.HARD, "lost_or_stolen fraud_suspected method_not_usable invalid_card expired_card"),
        (Reaction.HARD, "compliance authentication_failed restricted_card"),
    ],
)
def test_a_code_says_whether_the_gateway_the_day_or_the_method_is_at_fault(reaction, codes):
    assert {reaction_to(code) for code in codes.split()} == {reaction}


def test_no_retry_follows_what_the_payer_is_told_not_to_try_again():
    final = [code for code, (_, retryable) in DECLINES.items() if not retryable]

    assert {reaction_to(code) for code in final} == {Reaction.HARD}


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("2026-03-02T10:00", ["03-03", "03-05", "03-09", "03-10"]),  # A Monday: day 5 is a Saturday.
        ("2026-03-04T10:00", ["03-05", "03-09", "03-10", "03-11"]),  # Days 3 and 5 are one Monday: one moves.
        ("2026-03-01T10:00", ["03-02", "03-04", "03-06", "03-09"]),  # A Sunday.
        ("2026-03-02T23:59", ["03-04", "03-05", "03-09", "03-10"]),  # Tuesday is within 20 hours.
        ("2026-03-06T22:00", ["03-09", "03-10", "03-11", "03-13"]),
    ],
)
def test_it_is_tried_again_on_the_ladders_days_but_not_on_a_weekend(first, expected):
    assert days(ladder(lagos(first))) == expected


def test_when_the_ladder_has_ended_there_is_no_other_try():
    first = lagos("2026-03-02T10:00")

    assert [
        retry_at(first, number, zone="Africa/Lagos", key="SUB-1", around_paydays=False)
        for number in (5, 6, 100)
    ] == [None] * 3


def test_the_ladder_is_a_setting(settings):
    settings.TILLGATE_RETRY_DAYS = "2, 9"
    first = lagos("2026-03-02T10:00")

    assert days(ladder(first, most=2)) == ["03-04", "03-11"]
    assert retry_at(first, 3, zone="Africa/Lagos", key="SUB-1", around_paydays=False) is None


def test_the_day_and_the_hours_are_those_of_the_merchant():
    first = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)  # Tuesday noon in Auckland.

    assert days(ladder(first, zone="Pacific/Auckland")) == ["03-04", "03-06", "03-09", "03-10"]


@effort(max_examples=500, deadline=None)
@given(moments, keys, st.sampled_from(ZONES), st.booleans())
def test_tries_are_in_working_hours_and_a_bank_is_left_in_peace_between_them(first, key, zone, paydays):
    slots = ladder(first, zone=zone, key=key, around_paydays=paydays)

    assert all(slot.weekday() < 5 and 9 <= slot.hour < 17 for slot in slots)
    assert all(
        after - before >= timedelta(hours=20) for before, after in zip([first, *slots], slots, strict=False)
    )
    asked_for = [(first.astimezone(ZoneInfo(zone)) + timedelta(days=day)).date() for day in (1, 3, 5, 7)]
    assert all(slot.date() >= day for slot, day in zip(slots, asked_for, strict=True))
    assert slots == ladder(first, zone=zone, key=key, around_paydays=paydays)


@effort(max_examples=300, deadline=None)
@given(moments, keys, st.sampled_from(ZONES))
def test_no_try_is_more_than_a_long_weekend_late(first, key, zone):
    for slot, day in zip(ladder(first, zone=zone, key=key), (1, 3, 5, 7), strict=True):
        assert slot.date() - first.astimezone(ZoneInfo(zone)).date() <= timedelta(days=day + 3)


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("2026-03-02T10:00", ["03-03", "03-05", "03-09", "03-10"]),  # The 25th is far.
        ("2026-03-16T10:00", ["03-17", "03-25", "03-26", "03-27"]),  # The 17th is eight days from it.
        ("2026-03-17T10:00", ["03-25", "03-26", "03-27", "03-30"]),
        ("2026-03-24T10:00", ["03-25", "03-27", "03-30", "03-31"]),
        ("2026-04-22T10:00", ["04-27", "04-28", "04-29", "04-30"]),  # The 25th is a Saturday.
        ("2026-03-31T10:00", ["04-01", "04-03", "04-06", "04-07"]),
    ],
)
def test_for_lack_of_money_it_waits_for_a_payday_that_is_near(first, expected):
    assert days(ladder(lagos(first), around_paydays=True)) == expected


@effort(max_examples=300, deadline=None)
@given(moments, keys, st.sampled_from(ZONES))
def test_no_try_around_paydays_falls_into_the_week_before_the_25th(first, key, zone):
    assert not [
        slot for slot in ladder(first, zone=zone, key=key, around_paydays=True) if 18 <= slot.day < 25
    ]


def test_subscriptions_are_spread_over_the_whole_day():
    first = lagos("2026-03-02T10:00")

    slots = [ladder(first, key=f"SUB-{number}", most=1)[0] for number in range(4_000)]

    by_hour = Counter(slot.hour for slot in slots)
    assert sorted(by_hour) == list(range(9, 17))
    assert all(400 <= count <= 600 for count in by_hour.values())
    assert max(Counter(slots).values()) <= 5


def test_after_a_late_decline_the_next_working_time_is_the_earliest():
    late = lagos("2026-03-13T16:59")  # A Friday, long after the ladder's days.

    slot = working_time(late + REST, zone="Africa/Lagos", key="SUB-1")

    assert slot.astimezone(ZoneInfo("Africa/Lagos")).date() == lagos("2026-03-16T00:00").date()
    assert working_time(slot, zone="Africa/Lagos", key="SUB-1") == slot


def test_after_a_fault_it_is_tried_again_in_minutes_then_in_hours_and_five_times():
    now = datetime(2026, 3, 2, 10, tzinfo=UTC)
    minutes = [5, 20, 60, 240, 720]

    for number, wait in enumerate(minutes, start=1):
        every = [fault_retry_at(now, number, key=f"SUB-{key}") for key in range(500)]
        slots = sorted(filter(None, every))
        assert now + timedelta(minutes=wait) <= slots[0] < now + timedelta(minutes=wait * 1.02)
        assert now + timedelta(minutes=wait * 1.23) < slots[-1] < now + timedelta(minutes=wait * 1.25)
    assert fault_retry_at(now, 6, key="SUB-1") is None


def test_the_same_fault_of_the_same_subscription_has_one_answer():
    now = datetime(2026, 3, 2, 10, tzinfo=UTC)

    assert fault_retry_at(now, 2, key="SUB-1") == fault_retry_at(now, 2, key="SUB-1")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1,3,5,7", (1, 3, 5, 7)),
        (" 2 , 30 ", (2, 30)),
        ("1", (1,)),
        ("1,2,3,4,5,6,7,8,9,10", tuple(range(1, 11))),
    ],
)
def test_days_are_read(text, read):
    assert retry_days(text) == read


WRONG = [
    "",
    "1,,3",
    "one",
    "1.5",
    "-1,3",
    "0,1",
    "3,1",
    "1,1",
    "1,61",
    "٣",
    "1;3",
    "1,2,3,4,5,6,7,8,9,10,11",
    "9" * 5000,
]


@pytest.mark.parametrize("text", WRONG)
def test_days_that_make_no_ladder_are_refused_before_anything_starts(settings, text):
    settings.TILLGATE_RETRY_DAYS = text

    with pytest.raises(ValueError):
        retry_days(text)
    assert [message.id for message in check_retry_days(None)] == ["tillgate.E019"]


def test_the_days_that_come_with_the_product_are_a_ladder():
    assert check_retry_days(None) == []
