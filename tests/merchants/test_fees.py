"""The fee table: what the shipped one says, how a price is worked out, and what a wrong file is told."""

import re
from datetime import date

import pytest
from django.core.checks import run_checks

from tests.builders import make_attempt, make_payment, make_snapshot
from tillgate.gateways.registry import GATEWAYS
from tillgate.merchants.services.fees import (
    SHIPPED,
    FeesError,
    estimate_fee,
    fee_table,
    read_fees,
)
from tillgate.money import Money
from tillgate.payments.services.sync import apply_answer

# Worked out by hand from the pages that the table names.
SHIPPED_FEES = [
    ("paystack", "", "NGN", "100.00", "1.50"),
    ("paystack", "", "NGN", "2499.99", "37.50"),  # 37.49985, without the flat part.
    ("paystack", "", "NGN", "2500.00", "137.50"),
    ("paystack", "", "NGN", "5000.00", "175.00"),
    ("paystack", "", "NGN", "126666.66", "2000.00"),  # 1,999.9999
    ("paystack", "", "NGN", "126666.00", "1999.99"),
    ("paystack", "", "NGN", "5000000.00", "2000.00"),
    ("paystack", "", "GHS", "100.00", "1.95"),
    ("paystack", "", "KES", "1000.00", "29.00"),  # The card's, not M-PESA's.
    ("paystack", "", "ZAR", "100.00", "4.49"),  # 3.90 and 15 % of it: 4.485.
    ("paystack", "", "XOF", "10000", "378"),  # 320 and 18 % of it: 377.6.
    ("paystack", "", "USD", "100.00", "3.90"),
    ("paystack", "NG", "USD", "100.00", "3.90"),
    ("paystack", "EG", "EGP", "100.00", "5.20"),
    ("flutterwave", "", "NGN", "5000.00", "107.50"),
    ("flutterwave", "", "NGN", "9999.99", "215.00"),  # 214.999785
    ("flutterwave", "", "NGN", "10000.00", "265.00"),  # With the stamp duty.
    ("flutterwave", "", "NGN", "1000000.00", "2200.00"),  # The cap, its VAT, the duty.
    ("flutterwave", "", "UGX", "10000", "320"),
    ("flutterwave", "", "GHS", "100.00", "2.60"),
    ("flutterwave", "NG", "EUR", "100.00", "5.16"),
    ("paypal", "", "USD", "100.00", "5.48"),
    ("paypal", "US", "USD", "100.00", "3.98"),
    ("paypal", "US", "EUR", "100.00", "5.38"),
    ("paypal", "", "GBP", "0.01", "0.39"),
]
ROW = {"gateway": '"x"', "currency": '"NGN"', "percent": '"1"', "source": '"a page"'}
EXACTLY_HALF = '"0.5"'  # Of 1.00: half a kobo.


def table(**members: str) -> str:
    row = "\n".join(f"{name} = {value}" for name, value in {**ROW, **members}.items() if value)
    return f"as_of = 2026-11-22\n[[fee]]\n{row}\n"


@pytest.mark.parametrize(("gateway", "country", "currency", "amount", "fee"), SHIPPED_FEES)
def test_the_shipped_table_gives_what_the_pages_say(gateway, country, currency, amount, fee):
    estimated = estimate_fee(gateway, Money.from_major(amount, currency), country)

    assert estimated == Money.from_major(fee, currency)


@pytest.mark.parametrize(
    ("gateway", "currency", "country"),
    [("paypal", "JPY", ""), ("paystack", "GHS", "NG"), ("stripe", "USD", ""), ("paystack", "EUR", "NG")],
)
def test_what_the_table_does_not_say_is_unknown(gateway, currency, country):
    assert estimate_fee(gateway, Money(10_000, currency), country) is None


def test_the_shipped_table_is_dated_and_knows_every_gateway():
    priced = {gateway for gateway, _, _ in fee_table().prices}

    assert date(2026, 1, 1) < fee_table().as_of
    assert set(GATEWAYS) <= priced


def test_every_row_of_the_shipped_table_says_where_it_is_from():
    text = SHIPPED.read_text(encoding="utf-8")

    assert len(re.findall(r"^\[\[fee\]\]$", text, re.MULTILINE)) == len(
        re.findall(r'^source = ".{10,}"$', text, re.MULTILINE)
    )


def test_half_a_minor_unit_is_rounded_up_and_less_is_rounded_down(settings, tmp_path):
    settings.TILLGATE_FEES_FILE = str(tmp_path / "fees.toml")
    (tmp_path / "fees.toml").write_text(table(percent=EXACTLY_HALF))

    fees = [estimate_fee("x", Money(minor, "NGN")).minor for minor in (99, 100, 299, 300)]

    assert fees == [0, 1, 1, 2]


def test_an_operators_own_file_takes_the_place_of_the_shipped_one(settings, tmp_path):
    file = tmp_path / "fees.toml"
    file.write_text(table(percent="0.1", flat="5", flat_waived_below="'10'"))  # Numbers will do as well.
    settings.TILLGATE_FEES_FILE = str(file)

    assert estimate_fee("x", Money(999, "NGN")) == Money(1, "NGN")
    assert estimate_fee("x", Money(1_000, "NGN")) == Money(501, "NGN")
    assert estimate_fee("paystack", Money(1_000, "NGN")) is None


def test_of_several_channels_the_dearest_counts():
    text = table(channel='"card"') + table(channel='"ussd"', percent='"3"').partition("\n")[2]

    fees = read_fees(text).prices["x", "", "NGN"]

    assert [fee.of(Money(100, "NGN")).minor for fee in fees] == [1, 3]


WRONG = [
    ("as_of = ", "Invalid"),
    ("as_of = 2026-11-22", "missing required field `fee`"),
    ('as_of = "soon"\nfee = []', "as_of"),
    (table(percent=""), "missing required field `percent`"),
    (table(source=""), "missing required field `source`"),
    (table(percant='"1"'), "unknown field `percant`"),
    (table(percent='"-1"'), "fee 1 (x NGN): percent -1 is not between 0 and 100"),
    (table(percent='"101"'), "not between 0 and 100"),
    (table(tax_percent='"200"'), "tax_percent 200 is not"),
    (table(percent="true"), "percent"),
    (table(country='"Nigeria"'), "country 'Nigeria' is no ISO 3166 code"),
    (table(currency='"naira"'), "'naira' is not an ISO 4217 currency"),
    (table(cap='"5"', currency='"naira"'), "'naira' is not an ISO 4217 currency"),
    (table(flat='"1"', currency=""), "flat is an amount, so the row needs a currency"),
    (table(cap='"1.005"'), "cap 1.005: NGN has 2 decimals"),
    (table(duty='"-5"'), "duty -5 is below zero"),
    (table() + table().partition("\n")[2], "fee 2 (x NGN): it is there twice"),
]


@pytest.mark.parametrize(("text", "told"), WRONG, ids=[told for _, told in WRONG])
def test_a_wrong_table_is_refused_with_what_is_wrong_and_where(text, told):
    with pytest.raises(FeesError, match=re.escape(told)):
        read_fees(text)


def test_not_a_number_is_no_percent():
    for word in ('"nan"', "nan", '"inf"', '"1e5"'):
        with pytest.raises(FeesError):
            read_fees(table(percent=word))


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"as_of = 1"])
def test_a_wrong_file_stops_the_installation_with_its_fix(settings, tmp_path, content):
    file = tmp_path / "fees.toml"
    if content is not None:
        file.write_bytes(content)
    settings.TILLGATE_FEES_FILE = str(file)

    [found] = [message for message in run_checks(tags=["security"]) if message.id == "tillgate.E014"]

    assert str(file) in found.msg
    assert "unset TILLGATE_FEES_FILE" in str(found.hint)


def test_the_shipped_file_has_nothing_to_tell():
    assert "tillgate.E014" not in [message.id for message in run_checks(tags=["security"])]


def test_the_fee_of_a_settled_payment_is_the_gateways_and_no_estimate(merchant):
    payment = make_payment(merchant, amount_minor=500_000)
    attempt = make_attempt(payment)

    apply_answer(attempt, make_snapshot(attempt, fee=Money(14_750, "NGN")))

    payment.refresh_from_db()
    assert estimate_fee("paystack", payment.amount) == Money(17_500, "NGN")
    assert (payment.fee_minor, payment.net_minor) == (14_750, 485_250)
