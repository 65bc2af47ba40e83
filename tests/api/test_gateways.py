"""GET /gateways: what can be used, in which order, and with a key what it would leave."""

import json

import pytest

from tests.builders import make_ill
from tillgate.merchants.services.fees import fee_table
from tillgate.merchants.services.merchants import forget_default_merchant
from tillgate.merchants.services.rules import add_rule

URL = "/api/v1/gateways"
NAIRA = {"amount": "5000.00", "currency": "NGN"}
DOLLARS = {"amount": "100", "currency": "USD"}


@pytest.fixture
def listed(gateways):
    def get(caller, **query):
        answer = caller.get(URL, query)
        assert answer.status_code == 200, answer.content
        return answer.json()["gateways"]

    return get


def names(rows) -> list[str]:
    return [row["name"] for row in rows]


def test_without_an_amount_all_are_listed_with_what_they_take(guest, listed):
    rows = listed(guest)

    assert names(rows) == ["paystack", "flutterwave", "paypal"]
    assert rows[2] == {
        "name": "paypal",
        "title": "PayPal",
        "currencies": ["EUR", "GBP", "USD"],
        "channels": ["card"],
    }


def test_with_an_amount_those_that_take_it_are_listed_as_they_would_be_tried(guest, listed):
    assert names(listed(guest, **NAIRA)) == ["flutterwave", "paystack"]
    assert names(listed(guest, **DOLLARS)) == ["paystack", "flutterwave", "paypal"]


def test_a_guest_learns_nothing_of_fees_or_health(guest, listed):
    for row in listed(guest, **NAIRA):
        assert set(row) == {"name", "title", "currencies", "channels"}


def test_with_a_key_the_estimate_says_what_would_be_received(owner, listed):
    flutterwave, paystack = listed(owner, **NAIRA)

    as_of = fee_table().as_of.isoformat()
    assert paystack["estimate"] == {
        "fee": 175.0,
        "net": 4825.0,
        "currency": "NGN",
        "as_of": as_of,
        "sentence": "You will receive about NGN 4,825.00.",
    }
    assert (flutterwave["estimate"]["net"], flutterwave["healthy"]) == (4892.5, True)


def test_amounts_have_exactly_the_currencys_decimals(owner, gateways):
    naira = owner.get(URL, NAIRA).content
    francs = owner.get(URL, {"amount": "10000", "currency": "XOF"}).content

    assert b'"fee":175.00,"net":4825.00' in naira
    assert b'"fee":378,"net":9622' in francs


def test_a_fee_that_is_not_known_is_null(owner, listed, settings, tmp_path):
    (tmp_path / "fees.toml").write_text("as_of = 2026-11-22\nfee = []\n")
    settings.TILLGATE_FEES_FILE = str(tmp_path / "fees.toml")

    assert [row["estimate"] for row in listed(owner, **NAIRA)] == [None, None]


def test_a_fee_above_the_amount_is_said_as_such(owner, listed):
    paypal = listed(owner, amount="0.30", currency="USD")[-1]

    assert (paypal["name"], paypal["estimate"]["net"]) == ("paypal", -0.20)
    assert paypal["estimate"]["sentence"] == "The fee would take all of it."


def test_a_resting_gateway_comes_last_and_is_said_to_be_ill(owner, listed):
    make_ill("flutterwave")

    rows = listed(owner, **NAIRA)

    assert [(row["name"], row["healthy"]) for row in rows] == [("paystack", True), ("flutterwave", False)]


def test_the_merchants_rules_hold(guest, merchant, listed):
    add_rule(merchant, {"action": "pin", "gateway": "paystack", "currency": "NGN"})
    forget_default_merchant()

    assert names(listed(guest, **NAIRA)) == ["paystack"]
    assert len(listed(guest, **DOLLARS)) == 3


def test_where_nothing_takes_it_the_message_says_what_would_work(guest, gateways):
    answer = guest.get(URL, {"amount": "100", "currency": "JPY"})

    assert (answer.status_code, answer.json()["gateways"]) == (200, [])
    assert answer.json()["message"].startswith("No gateway here can take JPY. What can be paid in: EUR, GBP")


def test_another_merchant_sees_nothing_of_these(stranger, gateways):
    answer = stranger.get(URL, NAIRA)

    assert answer.json()["gateways"] == []
    assert "no test account" in answer.json()["message"]


@pytest.mark.parametrize(
    ("query", "code", "member"),
    [
        ({"amount": "5"}, "required", "currency"),
        ({"currency": "NGN"}, "required", "amount"),
        ({"amount": "", "currency": ""}, "required", "amount"),
        ({"amount": "5", "currency": "naira"}, "invalid_currency", "currency"),
        ({"amount": "5.005", "currency": "NGN"}, "invalid_amount", "amount"),
        ({"amount": "1e3", "currency": "NGN"}, "invalid_amount", "amount"),
        ({"amount": "0", "currency": "NGN"}, "amount_too_small", "amount"),
        ({"amount": "10000000000", "currency": "NGN"}, "amount_too_large", "amount"),
        ({"country": "NG"}, "unknown_member", "country"),
        ({"amount": ["5", "6"], "currency": "NGN"}, "invalid_field", "amount"),
    ],
    ids=json.dumps,
)
def test_a_wrong_query_is_refused_by_name(guest, gateways, query, code, member):
    answer = guest.get(URL, query)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert list(answer.json()["errors"]) == [member]


def test_the_merchants_own_limits_hold_as_at_creation(guest, merchant, gateways):
    merchant.limits = {"NGN": {"minimum_minor": 600_000}}
    merchant.save(update_fields=["limits"])
    forget_default_merchant()

    asked, created = guest.get(URL, NAIRA), guest.create(**NAIRA)

    assert (asked.status_code, asked.json()["code"]) == (400, "amount_too_small")
    assert asked.json()["errors"] == created.json()["errors"]


def test_creating_for_a_gateway_that_cannot_take_it_names_what_it_takes(guest, gateways):
    answer = guest.create(**NAIRA, gateway="paypal")

    assert (answer.status_code, answer.json()["code"]) == (409, "no_gateway")
    assert "paypal cannot take NGN. It takes EUR, GBP, USD." in answer.json()["message"]


def test_creating_for_a_gateway_that_a_rule_excludes_names_the_rule(guest, merchant, gateways):
    add_rule(merchant, {"action": "exclude", "gateway": "paystack"})
    forget_default_merchant()

    answer = guest.create(**NAIRA, gateway="paystack")

    assert "“exclude paystack” keeps NGN 5,000.00 from paystack" in answer.json()["message"]
