"""Which gateways can take a payment, and in which order they are tried."""

import pytest

from tests.builders import make_ill, make_merchant
from tillgate.common import clock
from tillgate.merchants.errors import NoGateway
from tillgate.merchants.services.choosing import choose, no_gateway, usable_accounts
from tillgate.merchants.services.rules import add_rule
from tillgate.money import Money

NAIRA = Money(500_000, "NGN")
DOLLARS = Money(10_000, "USD")


@pytest.fixture
def order(merchant, gateways):
    """The names of the gateways in the order in which they would be tried."""

    def names(amount=NAIRA, **more):
        return [choice.gateway for choice in choose(merchant, "test", amount, **more)]

    return names


@pytest.fixture
def rule(merchant):
    def add(action, gateway, **more):
        add_rule(merchant, {"action": action, "gateway": gateway, **more})

    return add


def test_the_cheaper_one_comes_first(order):
    # 107.50 and 175.00; PayPal takes no naira.
    assert order() == ["flutterwave", "paystack"]
    # 3.90, 5.16 and 5.48.
    assert order(DOLLARS) == ["paystack", "flutterwave", "paypal"]


def test_the_amount_decides_which_one_is_cheaper(order):
    # Without Paystack's flat part: 30.00 and, with VAT, 43.00.
    assert order(Money(200_000, "NGN")) == ["paystack", "flutterwave"]


def test_the_merchants_country_decides_which_price_is_meant(order, merchant):
    merchant.country = "US"
    # 3.49 % and 0.49: 3.98; Paystack’s for accounts anywhere is 3.90, Flutterwave’s 5.16 with VAT.
    assert order(DOLLARS)[1] == "paypal"


def test_one_whose_price_is_unknown_comes_after_those_that_are_known(order, merchant):
    merchant.country = "NG"  # Where Paystack's price for cedis is not said.

    [first, second] = choose(merchant, "test", Money(10_000, "GHS"))

    assert (first.gateway, second.gateway, second.fee) == ("flutterwave", "paystack", None)


def test_among_equals_the_registrys_order_stands(order, merchant, settings, tmp_path):
    (tmp_path / "fees.toml").write_text("as_of = 2026-11-22\nfee = []\n")
    settings.TILLGATE_FEES_FILE = str(tmp_path / "fees.toml")

    assert order(DOLLARS) == ["paystack", "flutterwave", "paypal"]


def test_health_comes_before_preference_and_preference_before_price(order, rule):
    rule("prefer", "paypal")
    assert order(DOLLARS) == ["paypal", "paystack", "flutterwave"]

    make_ill("paypal")
    assert order(DOLLARS) == ["paystack", "flutterwave", "paypal"]


def test_one_that_has_rested_is_worth_a_try_again(order):
    make_ill("flutterwave", open_until=clock.now())

    assert order() == ["flutterwave", "paystack"]


def test_one_with_fewer_faults_is_well(order):
    make_ill("flutterwave", failures=2)

    assert order() == ["flutterwave", "paystack"]


def test_the_order_costs_one_query_and_none_for_one_gateway(merchant, gateways, statements):
    with statements() as told:
        choose(merchant, "test", DOLLARS)
        choose(merchant, "test", DOLLARS, only="paypal")

    assert len(told) == 1


def test_choosing_calls_no_gateway(order, gateways):
    order(DOLLARS)

    assert all(script.calls == [] for script in gateways.values())


def test_a_pin_leaves_one_and_an_exclusion_leaves_the_others(order, rule):
    rule("pin", "paystack", currency="NGN", minimum="5000")
    rule("exclude", "flutterwave", currency="USD")

    assert order() == ["paystack"]
    assert order(Money(499_999, "NGN")) == ["flutterwave", "paystack"]
    assert order(DOLLARS) == ["paystack", "paypal"]


def test_a_rule_that_leaves_nothing_is_named(order, rule, merchant):
    rule("pin", "paypal")

    with pytest.raises(NoGateway, match=r"“pin paypal” keeps NGN 5,000.00 from every gateway"):
        order()


def test_a_rule_that_keeps_out_the_one_that_was_asked_for_is_named(order, rule):
    rule("exclude", "paystack", currency="NGN")

    with pytest.raises(NoGateway, match=r"“exclude paystack for NGN” keeps NGN 5,000.00 from paystack"):
        order(only="paystack")


@pytest.mark.parametrize("currency", ["NGN", "GHS", "KES", "ZAR"])
def test_g30_paypal_is_refused_for_naira_with_what_it_takes(order, currency):
    with pytest.raises(NoGateway, match=f"paypal cannot take {currency}. It takes EUR, GBP, USD."):
        order(Money(10_000, currency), only="paypal")


def test_g30_a_currency_that_nobody_takes_is_answered_with_those_that_work(order):
    with pytest.raises(
        NoGateway, match=r"No gateway here can take JPY. What can be paid in: EUR, GBP, GHS, "
    ):
        order(Money(10_000, "JPY"))


def test_an_amount_that_is_refused_in_a_currency_that_is_not_is_said_as_such(merchant, gateways, monkeypatch):
    from tillgate.gateways.registry import GATEWAYS

    monkeypatch.setattr(GATEWAYS["paypal"], "takes", lambda amount: amount.minor < 100)

    told = no_gateway(merchant, "test", DOLLARS, only="paypal").message
    assert told.startswith("paypal cannot take USD 100.00. It takes")


@pytest.mark.parametrize(("only", "told"), [("stripe", "at stripe"), (None, "at any gateway")])
def test_without_an_account_the_key_is_missing(merchant, gateways, only, told):
    shop = make_merchant(name="Another shop")

    with pytest.raises(NoGateway, match=f"Another shop has no test account {told}. Set its key"):
        choose(shop, "test", NAIRA, only=only)


def test_what_can_be_used_is_known_without_a_query(merchant, gateways, django_assert_num_queries):
    with django_assert_num_queries(0):
        found = usable_accounts(merchant, "test", DOLLARS)

    assert len(found) == 3
