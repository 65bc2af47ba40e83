"""Money: exact in, exact out, never across currencies, never through a float."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tillgate.money import EXPONENTS, MAX_MINOR, Money, MoneyError, exponent_of

currencies = st.sampled_from(sorted(EXPONENTS))
minors = st.integers(min_value=1 - 10**18, max_value=10**18 - 1)


@pytest.mark.parametrize(
    ("currency", "exponent"),
    [("NGN", 2), ("USD", 2), ("XOF", 0), ("JPY", 0), ("RWF", 0), ("KWD", 3), ("BHD", 3), ("CLF", 4)],
)
def test_decimals_come_from_iso_4217(currency, exponent):
    assert exponent_of(currency) == exponent


@pytest.mark.parametrize("currency", ["", "ngn", "NGN ", "XAU", "XXX", "EURO", "ＮＧＮ", "N\u200bGN", "\x00"])
def test_what_has_no_minor_units_is_no_currency(currency):
    with pytest.raises(MoneyError, match="ISO 4217"):
        Money(5, currency)


@pytest.mark.parametrize(
    ("value", "currency", "minor"),
    [
        ("50", "NGN", 5_000),
        ("50.0", "NGN", 5_000),
        ("50.00", "NGN", 5_000),
        (50, "NGN", 5_000),
        (Decimal("50.00"), "NGN", 5_000),
        ("0.01", "NGN", 1),
        ("4.35", "NGN", 435),
        ("1.10", "USD", 110),
        ("0050", "NGN", 5_000),
        ("-0.50", "NGN", -50),
        ("-0", "NGN", 0),
        ("-0.00", "NGN", 0),
        ("0", "NGN", 0),
        ("50", "XOF", 50),
        ("1.234", "KWD", 1_234),
        ("1.2", "KWD", 1_200),
        ("9007199254740993", "NGN", 900_719_925_474_099_300),
        ("999999999999999999.99", "NGN", 99_999_999_999_999_999_999),
    ],
)
def test_plain_numbers_are_read_exactly(value, currency, minor):
    assert Money.from_major(value, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "value",
    [
        "1_000",
        "1,000",
        "١٢٣",
        "１２",
        "1e5",
        "1E5",
        "5e-400",
        "NaN",
        "nan",
        "sNaN",
        "Infinity",
        "-Infinity",
        "inf",
        " 5",
        "5 ",
        "5\n",
        "5\x00",
        "5.",
        ".5",
        "5..0",
        "5.0.0",
        "+5",
        "--5",
        "−5",
        "",
        "-",
        ".",
        "0x10",
        "five",
        "½",
        "²",
        "9" * 19,
        "9" * 10_000,
        "0." + "0" * 19,
        True,
        False,
        Decimal("NaN"),
        Decimal("Infinity"),
        Decimal("1E+5"),
        10**18,
    ],
)
def test_tricks_are_refused(value):
    with pytest.raises(MoneyError, match="plain decimal number"):
        Money.from_major(value, "NGN")


@pytest.mark.parametrize("value", [5.0, 4.35, 1e22, float("nan"), float("inf")])
def test_a_float_is_no_amount(value):
    with pytest.raises(MoneyError):
        Money.from_major(value, "NGN")


@pytest.mark.parametrize("value", [None, [], {}, b"5", object()])
def test_another_type_is_no_amount(value):
    with pytest.raises(MoneyError):
        Money.from_major(value, "NGN")


@pytest.mark.parametrize(
    ("value", "currency", "says"),
    [
        ("10.505", "USD", "USD has 2 decimals"),
        ("10.500", "USD", "USD has 2 decimals"),
        ("5.0", "XOF", "XOF has no decimals"),
        ("5.0", "JPY", "JPY has no decimals"),
        ("1.2345", "KWD", "KWD has 3 decimals"),
    ],
)
def test_more_decimals_than_the_currency_has_are_refused_by_name(value, currency, says):
    with pytest.raises(MoneyError, match=says):
        Money.from_major(value, currency)


@pytest.mark.parametrize("minor", [5.0, Decimal(5), "5", True, None])
def test_minor_units_are_whole(minor):
    with pytest.raises(AssertionError, match="whole"):
        Money(minor, "NGN")


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(5_000, "NGN"), "50.00"),
        (Money(5, "NGN"), "0.05"),
        (Money(0, "NGN"), "0.00"),
        (Money(-5, "NGN"), "-0.05"),
        (Money(5_000, "XOF"), "5000"),
        (Money(5_000, "KWD"), "5.000"),
        (Money(MAX_MINOR, "NGN"), "9999999999.99"),
    ],
)
def test_major_units_have_exactly_the_currencys_decimals(money, text):
    assert str(money.to_major) == text


def test_no_decimal_context_rounds_an_amount():
    with localcontext() as context:
        context.prec = 3

        assert str(Money(123_456_789, "NGN").to_major) == "1234567.89"
        assert Money.from_major("1234567.89", "NGN").minor == 123_456_789


def test_it_reads_as_people_write_it():
    assert str(Money(150_000_050, "NGN")) == "NGN 1,500,000.50"
    assert str(Money(1_500, "XOF")) == "XOF 1,500"


def test_sums_and_differences_keep_the_currency():
    assert Money(150, "NGN") + Money(50, "NGN") == Money(200, "NGN")
    assert Money(150, "NGN") - Money(200, "NGN") == Money(-50, "NGN")


def test_amounts_of_one_currency_have_an_order():
    small, large = Money(5, "NGN"), Money(6, "NGN")

    assert small < large
    assert small <= large
    assert large > small
    assert large >= Money(6, "NGN")


@pytest.mark.parametrize(
    "mix",
    [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a < b,
        lambda a, b: a <= b,
        lambda a, b: a > b,
        lambda a, b: a >= b,
    ],
)
def test_two_currencies_never_mix(mix):
    with pytest.raises(MoneyError, match="NGN and USD"):
        mix(Money(5, "NGN"), Money(5, "USD"))


def test_the_same_number_of_another_currency_is_not_equal():
    assert Money(5, "NGN") != Money(5, "USD")
    assert len({Money(5, "NGN"), Money(5, "NGN"), Money(5, "USD")}) == 2


@settings(max_examples=300, deadline=None)
@given(minors, currencies)
def test_out_and_in_again_is_the_same(minor, currency):
    money = Money(minor, currency)

    assert Money.from_major(str(money.to_major), currency) == money
    assert money.to_major.as_tuple().exponent == -exponent_of(currency)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30) | st.integers() | st.decimals(), currencies)
def test_anything_is_read_exactly_or_refused(value, currency):
    try:
        money = Money.from_major(value, currency)
    except MoneyError:
        return
    assert money.to_major == Decimal(value)


@settings(max_examples=200, deadline=None)
@given(minors, minors, currencies)
def test_adding_and_taking_away_is_nothing(first, second, currency):
    one, other = Money(first, currency), Money(second, currency)

    assert one + other - other == one
    assert one + other == other + one
