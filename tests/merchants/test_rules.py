"""The merchant's rules: what each means, what is stored, and the command that sets them."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tillgate.merchants.services.rules import (
    MOST_RULES,
    RuleError,
    add_rule,
    barrier,
    clear_rules,
    prefers,
    read_rule,
    rules_of,
)
from tillgate.money import Money

SMALL_USD = {"action": "exclude", "gateway": "paypal", "currency": "USD", "maximum": "20.00"}
NAIRA = Money(500_000, "NGN")


def usd(text: str) -> Money:
    return Money.from_major(text, "USD")


def run(*words: str) -> str:
    out = StringIO()
    call_command("gateway_rules", *words, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("bounds", "matched"),
    [
        ({}, ["9.99", "10", "20", "20.01"]),
        ({"minimum": "10"}, ["10", "20", "20.01"]),
        ({"maximum": "20.00"}, ["9.99", "10", "20"]),
        ({"minimum": "10", "maximum": "20"}, ["10", "20"]),
    ],
)
def test_a_rule_is_about_its_currency_and_the_amounts_from_and_to_inclusive(bounds, matched):
    rule = read_rule({"action": "pin", "gateway": "paypal", "currency": "USD", **bounds})

    assert [text for text in ("9.99", "10", "20", "20.01") if rule.matches(usd(text))] == matched
    assert not rule.matches(NAIRA)


def test_a_rule_without_a_currency_is_about_every_payment():
    rule = read_rule({"action": "prefer", "gateway": "paystack"})

    assert rule.matches(NAIRA)
    assert rule.matches(usd("1"))


def test_an_exclusion_bars_its_gateway_only():
    rule = read_rule(SMALL_USD)

    assert barrier([rule], "paypal", usd("20")) == rule
    assert barrier([rule], "paystack", usd("20")) is None
    assert barrier([rule], "paypal", usd("20.01")) is None


def test_a_pin_bars_all_others_and_two_pins_all_but_theirs():
    pins = [read_rule({"action": "pin", "gateway": name}) for name in ("paystack", "paypal")]

    assert barrier(pins[:1], "flutterwave", NAIRA) == pins[0]
    assert barrier(pins[:1], "paystack", NAIRA) is None
    assert barrier(pins, "flutterwave", NAIRA) == pins[0]
    assert barrier(pins, "paypal", NAIRA) is None


def test_what_is_pinned_and_excluded_is_excluded():
    rules = [read_rule({"action": action, "gateway": "paystack"}) for action in ("pin", "exclude")]

    assert barrier(rules, "paystack", NAIRA) == rules[1]


def test_a_preference_bars_nobody():
    rule = read_rule({"action": "prefer", "gateway": "paystack", "currency": "NGN"})

    assert barrier([rule], "paypal", NAIRA) is None
    assert prefers([rule], "paystack", NAIRA)
    assert not prefers([rule], "paypal", NAIRA)
    assert not prefers([rule], "paystack", usd("1"))


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"action": "avoid", "gateway": "paypal"}, "action"),
        ({"action": "pin"}, "gateway"),
        ({"action": "pin", "gateway": "paypal", "country": "NG"}, "country"),
        ({"action": "pin", "gateway": "paypal", "minimum": "1"}, "An amount needs a currency"),
        ({"action": "pin", "gateway": "paypal", "currency": "naira"}, "not an ISO 4217 currency"),
        ({**SMALL_USD, "maximum": "1.005"}, "USD has 2 decimals"),
        ({**SMALL_USD, "maximum": 20}, "maximum"),
        ({**SMALL_USD, "minimum": "21"}, "no amount is between them"),
    ],
)
def test_a_rule_that_says_nothing_clear_is_refused(row, told):
    with pytest.raises(RuleError, match=told):
        read_rule(row)


def test_rules_are_stored_in_major_units_and_without_what_was_not_said(merchant):
    add_rule(merchant, SMALL_USD)
    add_rule(merchant, {"action": "prefer", "gateway": "paystack"})

    merchant.refresh_from_db()
    assert merchant.gateway_rules == [SMALL_USD, {"action": "prefer", "gateway": "paystack"}]
    assert list(map(str, rules_of(merchant))) == ["exclude paypal for USD to 20.00", "prefer paystack"]


def test_a_rule_that_is_there_already_is_not_set_twice(merchant):
    assert add_rule(merchant, SMALL_USD) == add_rule(merchant, SMALL_USD)

    assert len(rules_of(merchant)) == 1


def test_there_is_an_end_to_rules(merchant):
    for cents in range(1, MOST_RULES + 1):
        add_rule(merchant, {**SMALL_USD, "maximum": f"{cents}.00"})

    with pytest.raises(RuleError, match="at most"):
        add_rule(merchant, {"action": "prefer", "gateway": "paystack"})


def test_all_rules_can_be_forgotten(merchant):
    add_rule(merchant, SMALL_USD)

    assert (clear_rules(merchant), clear_rules(merchant)) == (1, 0)
    assert rules_of(merchant) == ()


def test_the_command_sets_shows_and_clears_rules(merchant, gateways):
    added = run("add", "exclude", "paypal", "--currency", "USD", "--minimum", "1", "--maximum", "20.00")
    listed = run("list")

    assert added == "From now on: exclude paypal for USD from 1.00 to 20.00.\n"
    assert listed == "exclude paypal for USD from 1.00 to 20.00\n"
    assert run("clear") == "Rules cleared: 1.\n"
    assert run("list") == run() == "No rules: every gateway may be used.\n"


@pytest.mark.parametrize(
    "words",
    [
        ["add", "pin", "stripe"],
        ["add", "avoid", "paypal"],
        ["add", "pin", "paypal", "--minimum", "5"],
        ["add", "pin", "paypal", "--currency", "XXQ"],
    ],
    ids=str,
)
def test_the_command_refuses_what_is_no_rule(merchant, gateways, words):
    with pytest.raises(CommandError):
        run(*words)

    merchant.refresh_from_db()
    assert merchant.gateway_rules == []
