"""Owners of a card are told 30 and 7 days before its last day, each once, however late or often we look."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.customers.conftest import kept, make_payer
from tillgate.customers.models import PaymentMethod
from tillgate.customers.services.methods import (
    _last_day,
    methods_expiring,
    note_expiry_told,
    remove_method,
)


def notices(on: date) -> list[int]:
    return [days for _, days in methods_expiring(on)]


@pytest.mark.parametrize(
    ("month", "on", "days"),
    [
        ("2026-11", date(2026, 10, 30), []),
        ("2026-11", date(2026, 10, 31), [30]),
        ("2026-11", date(2026, 11, 22), [30]),
        ("2026-11", date(2026, 11, 23), [7]),
        ("2026-11", date(2026, 11, 30), [7]),
        ("2026-11", date(2026, 12, 1), []),
        ("2027-01", date(2026, 12, 31), []),
        ("2027-01", date(2027, 1, 1), [30]),
        ("2027-02", date(2027, 1, 29), [30]),
        ("2027-02", date(2027, 1, 31), [30]),
        ("2027-02", date(2027, 2, 21), [7]),
        ("2028-02", date(2028, 2, 21), [30]),
        ("2028-02", date(2028, 2, 22), [7]),
        ("2027-03", date(2027, 1, 31), []),
        ("", date(2027, 1, 31), []),
    ],
)
def test_the_days_count_to_the_end_of_the_month(payer, month, on, days):
    kept(payer, expires_month=month)

    assert notices(on) == days


def test_each_notice_is_given_once(payer):
    kept(payer, expires_month="2026-11")
    given_days = []

    for day in range(60):
        for method, days in methods_expiring(date(2026, 10, 15) + timedelta(days=day)):
            assert note_expiry_told(method, days)
            given_days.append((day, days))

    assert given_days == [(16, 30), (39, 7)]


def test_a_notice_that_was_missed_does_not_come_with_the_next(payer):
    kept(payer, expires_month="2026-11")
    ((method, days),) = methods_expiring(date(2026, 11, 25))
    note_expiry_told(method, days)

    assert days == 7
    assert notices(date(2026, 11, 26)) == []


def test_of_two_who_look_at_once_one_gives_the_notice(payer):
    kept(payer, expires_month="2026-11")
    ((mine, days),), ((theirs, _),) = (methods_expiring(date(2026, 11, 1)) for _ in range(2))

    assert note_expiry_told(mine, days)
    assert not note_expiry_told(theirs, days)


def test_a_card_that_was_renewed_or_removed_meanwhile_is_not_told_of(payer, merchant):
    kept(payer, expires_month="2026-11")
    kept(make_payer(merchant, email="bob@example.com"), expires_month="2026-11")
    (renewed, days), (removed, _) = methods_expiring(date(2026, 11, 1))
    kept(payer, expires_month="2030-11")
    remove_method(removed.pk)

    assert not note_expiry_told(renewed, days)
    assert not note_expiry_told(removed, days)
    assert not PaymentMethod.objects.filter(expiry_told_days__isnull=False).exists()
    assert notices(date(2026, 11, 1)) == []


def test_a_removed_card_is_nobodys_any_more(payer):
    remove_method(kept(payer, expires_month="2026-11").pk)

    assert notices(date(2026, 11, 25)) == []


@given(st.dates(date(2024, 1, 1), date(2060, 1, 1)))
def test_the_last_day_of_a_month_is_followed_by_a_first(day):
    last = _last_day(f"{day:%Y-%m}")

    assert (last.year, last.month) == (day.year, day.month)
    assert (last + timedelta(days=1)).day == 1
