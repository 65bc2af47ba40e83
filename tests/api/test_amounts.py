import time

import pytest

from tests.api.client import PAYMENTS
from tillgate.payments.models import Payment

# What stands in the request after `"amount": `, as bytes of JSON.
REFUSED = [
    "0",
    "-0",
    "0.00",
    "0.001",
    "10.505",
    "50.000",
    "-1",
    "-0.01",
    "1e5",
    "1E5",
    "1e400",
    "1e-400",
    "5e-2",
    "NaN",
    "Infinity",
    "-Infinity",
    "true",
    "false",
    "null",
    "[]",
    "[50]",
    "{}",
    '{"value": 50}',
    str(2**63),
    str(-(2**63)),
    "10000000000",
    "9999999999.999",
    "9" * 40,
    "9" * 41,
    "0." + "0" * 60 + "1",
    "1" * 5_000,
    "+5",
    ".5",
    "5.",
    "05",
    "0x10",
    "1_000",
    '""',
    '" "',
    '"50.00 "',
    '" 50"',
    '"50\\n"',
    '"\\u00a050"',
    '"+50"',
    '"-1"',
    '"0"',
    '"0.00"',
    '"1_000"',
    '"1,000"',
    '"1 000"',
    '"١٢٣"',
    '"１２３"',
    '"5٠"',
    '"५०"',
    '"1e5"',
    '"1e400"',
    '"NaN"',
    '"Infinity"',
    '"inf"',
    '"-Infinity"',
    '"0x10"',
    '"10.505"',
    '".5"',
    '"5."',
    '"50.00.00"',
    '"NGN 50"',
    '"50\\u0000"',
    '"½"',
    '"²"',
    '"true"',
    f'"{"9" * 40}"',
    f'"{"1" * 5_000}"',
    f'"{2**63}"',
]


def _body(amount: str, currency: str = "NGN") -> bytes:
    return (
        '{"customer_name": "John Doe", "customer_email": "john@example.com", '
        f'"currency": "{currency}", "amount": {amount}}}'
    ).encode()


@pytest.mark.parametrize("amount", REFUSED, ids=lambda text: ascii(text)[:24])
def test_what_is_not_plainly_an_amount_is_refused(guest, amount):
    started = time.process_time()
    answer = guest.post(PAYMENTS, _body(amount))

    assert answer.status_code == 400, answer.content
    assert answer.json()["message"]
    assert time.process_time() - started < 0.5
    assert not Payment.objects.exists()


@pytest.mark.parametrize("amount", ["50.00 ", "1_000", "10.505", "", "-1", True, None, [], {}], ids=ascii)
def test_a_refused_amount_is_named(guest, amount):
    answer = guest.create(amount=amount)

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["amount"])
    assert answer.json()["code"] in ("invalid_amount", "amount_too_small")


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("0", "amount_too_small"),
        ("-5", "amount_too_small"),
        ("10000000000.00", "amount_too_large"),
        ("10.505", "invalid_amount"),
        ("NaN", "invalid_number"),
        ("1e5", "invalid_number"),
    ],
)
def test_the_code_says_what_is_wrong_with_an_amount(guest, amount, code):
    assert guest.post(PAYMENTS, _body(amount)).json()["code"] == code


@pytest.mark.parametrize(("currency", "amount"), [("XOF", "1500.00"), ("XOF", "1500.5"), ("XOF", '"1500.0"')])
def test_a_currency_without_decimals_takes_none(guest, currency, amount):
    answer = guest.post(PAYMENTS, _body(amount, currency))

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_amount")
    assert "no decimals" in answer.json()["message"]


def test_a_second_amount_is_refused_and_named(guest):
    answer = guest.post(PAYMENTS, _body('1, "amount": 100'))

    assert (answer.status_code, answer.json()["code"]) == (400, "duplicate_member")
    assert "'amount'" in answer.json()["message"]
    assert not Payment.objects.exists()


def test_a_duplicate_in_a_nested_object_is_refused_too(owner):
    answer = owner.post(PAYMENTS, _body('1, "metadata": {"a": "1", "a": "2"}'))

    assert answer.json()["code"] == "duplicate_member"


@pytest.mark.parametrize(
    ("amount", "minor"),
    [("4.35", 435), ("0.29", 29), ("1.10", 110), ("1", 100), ("90071992.54", 9_007_199_254)],
)
def test_no_amount_passes_through_a_float(guest, amount, minor):
    assert guest.post(PAYMENTS, _body(amount)).status_code == 201
    assert Payment.objects.get().amount_minor == minor
