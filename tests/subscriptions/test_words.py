from datetime import UTC, datetime

import pytest

from tests.builders import make_method
from tillgate.merchants.models import Merchant
from tillgate.subscriptions.states import Interval
from tillgate.subscriptions.words import day, method_name, rhythm, times


@pytest.mark.parametrize(
    ("interval", "count", "said"),
    [
        ("daily", 1, "every day"),
        ("weekly", 1, "every week"),
        ("weekly", 2, "every 2 weeks"),
        ("monthly", 1, "every month"),
        ("monthly", 3, "every 3 months"),
        ("quarterly", 1, "every quarter"),
        ("quarterly", 2, "every 6 months"),
        ("yearly", 1, "every year"),
        ("yearly", 3, "every 3 years"),
    ],
)
def test_a_rhythm_is_said_as_people_say_it(interval: str, count: int, said: str) -> None:
    assert rhythm(interval, count) == said


def test_every_interval_has_a_word() -> None:
    assert all(rhythm(interval, 1).startswith("every ") for interval in Interval)


@pytest.mark.parametrize(
    ("cycles", "said"), [(None, "until you stop it"), (1, "once"), (2, "2 times"), (12, "12 times")]
)
def test_the_number_of_payments_is_said_to_the_payer(cycles: int | None, said: str) -> None:
    assert times(cycles) == said


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Africa/Lagos", "1 January 2027"),
        ("UTC", "31 December 2026"),
        ("America/New_York", "31 December 2026"),
    ],
)
def test_a_day_is_the_one_of_the_zone(zone: str, said: str) -> None:
    assert day(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), zone) == said


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"brand": "visa", "last4": "4081"}, "Visa ending 4081"),
        ({"brand": "mastercard", "last4": "0001"}, "Mastercard ending 0001"),
        ({"brand": "american express", "last4": "1005"}, "American Express ending 1005"),
        ({"brand": "", "last4": "4081"}, "Card ending 4081"),
        ({"brand": "", "last4": "", "kind": "paypal"}, "PayPal"),
        ({"brand": "", "last4": "", "kind": "mobile_money"}, "Mobile money"),
        ({"brand": "", "last4": "1234", "kind": "bank"}, "Bank account ending 1234"),
        ({"brand": "", "last4": "", "kind": "direct_debit"}, "Direct debit"),
        ({"brand": "", "last4": "", "kind": ""}, "The saved way to pay"),
    ],
)
def test_a_method_is_named_as_its_owner_knows_it(
    merchant: Merchant, fields: dict[str, str], said: str
) -> None:
    assert method_name(make_method(merchant, **fields)) == said
