"""A-38: whatever stands where an amount belongs, it is read exactly or refused."""

import json
import re
from decimal import Decimal
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.api.client import MINIMAL, PAYMENTS, ApiClient
from tests.builders import make_payment, make_settled, make_subscription
from tillgate.money import MAX_MINOR
from tillgate.payments.models import Payment, Refund

DECIMALS = {"NGN": 2, "USD": 2, "XOF": 0}
CURRENCIES = st.sampled_from(sorted(DECIMALS))
TEXT = re.compile(r"[0-9]{1,18}(\.[0-9]{1,2})?", re.ASCII)
NUMBER = re.compile(r"(0|[1-9][0-9]{0,17})(\.[0-9]{1,2})?", re.ASCII)  # JSON has no zero in front.
MANY = settings(
    max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)

# Digits that Python's own `int` and `Decimal` would read, and signs that `float` would.
DIGITS = st.text(
    st.sampled_from("0123456789٠١٢٣٤५०１２３²½Ⅷ_,.' +-eExnaifNIyt\u00a0\u2009\u200b"), max_size=24
)
NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70),
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
    st.floats().map(repr),
    st.integers(0, MAX_MINOR * 2).map(lambda minor: f"{minor // 100}.{minor % 100:02}"),
    st.builds(lambda digits, power: f"{digits}e{power}", st.integers(0, 99), st.integers(-400, 400)),
)
TABLE_L6 = [
    "1_000",
    "١٢٣",
    "１２",
    "1e5",
    "1e-400",
    "-5",
    "0",
    "NaN",
    "Infinity",
    "12.0",
    "1e2",
    "4.35",
    str(2**53 + 1),
]


def minor_of(text: str, currency: str, form: re.Pattern[str] = NUMBER) -> int | None:
    """What an amount in plain digits is in minor units; None for what is none. The oracle of this file."""
    if not form.fullmatch(text) or len(text.partition(".")[2]) > DECIMALS[currency]:
        return None
    minor = int(Decimal(text).scaleb(DECIMALS[currency]))
    return minor if 0 < minor <= MAX_MINOR else None


def post(raw: str, currency: str):
    body = json.dumps({**MINIMAL, "currency": currency, "amount": "HERE"})
    return ApiClient().post(PAYMENTS, body.replace('"HERE"', raw).encode())


def assert_read_exactly_or_refused(answer, minor: int | None) -> None:
    made = [payment.amount_minor for payment in Payment.objects.all()]
    Payment.objects.all().delete()
    assert (answer.status_code, made) == ((400, []) if minor is None else (201, [minor])), answer.content
    assert minor or answer.json()["code"]


@pytest.mark.parametrize("text", TABLE_L6)
@pytest.mark.parametrize("as_text", [True, False], ids=["text", "number"])
def test_a38_the_table_of_what_a_library_would_read(merchant, text, as_text):
    answer = post(json.dumps(text) if as_text else text, "NGN")

    assert_read_exactly_or_refused(answer, minor_of(text, "NGN"))


@MANY
@given(text=DIGITS, currency=CURRENCIES)
@example(text="\u0661\u0662\u0663", currency="NGN")
@example(text="1\u200b0", currency="NGN")
def test_a38_a_text_is_an_amount_or_refused(merchant, text, currency):
    assert_read_exactly_or_refused(post(json.dumps(text), currency), minor_of(text, currency, TEXT))


@MANY
@given(number=NUMBERS, currency=CURRENCIES)
def test_a38_a_number_is_an_amount_or_refused(merchant, number, currency):
    text = str(number)

    assert_read_exactly_or_refused(post(text, currency), minor_of(text, currency))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@MANY
@given(value=JSON.filter(lambda value: not isinstance(value, str | float) or isinstance(value, bool)))
def test_a38_what_is_no_number_and_no_text_is_refused_by_name(merchant, value):
    answer = post(json.dumps(value), "NGN")

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) in (
        ["amount"],
        [],
    )  # A number such as 1e-05 is no JSON of ours at all.
    assert not Payment.objects.exists()


@pytest.fixture
def readers(owner, merchant, gateway):
    """The other doors that read an amount, each as a call."""
    paid = make_settled(make_payment(merchant)).payment
    subscription = f"/api/v1/subscriptions/{make_subscription(merchant).reference}"

    def refund(amount):
        return owner.post(
            f"{PAYMENTS}/{paid.reference}/refunds", {"amount": amount}, headers={"Idempotency-Key": "k"}
        )

    def subscribe(amount):
        return owner.post("/api/v1/subscriptions", {**MINIMAL, "interval": "monthly", "amount": amount})

    def change(amount):
        return owner.patch(subscription, {"amount": amount}, content_type="application/json")

    def preview(amount):
        return owner.get(f"{subscription}/preview?amount={quote(str(amount))}")

    def choose(amount):
        return owner.get(f"/api/v1/gateways?currency=NGN&amount={quote(str(amount))}")

    return (refund, subscribe, change, preview, choose)


@pytest.mark.parametrize(
    "text", [text for text in TABLE_L6 if text not in ("12.0", "4.35")] + ["1.001", "50 ", " 5", ""]
)
def test_a38_every_door_reads_amounts_alike(readers, text):
    for call in readers:
        answer = call(text)
        assert answer.status_code == 400, (call.__name__, answer.content)
        assert answer.json()["errors"].keys() <= {"amount", "currency"}, call.__name__
    assert not Refund.objects.exists()


@pytest.mark.parametrize("body", ['"amount": 1, "amount": 100', '"amount": 100, "am\\u006funt": 1'])
def test_a38_of_two_amounts_neither_is_taken(guest, body):
    answer = guest.post(
        PAYMENTS, f'{{"customer_name": "A", "customer_email": "a@b.example", {body}}}'.encode()
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "duplicate_member")


@pytest.mark.parametrize(
    ("amount", "accepted"), [(MAX_MINOR, True), (MAX_MINOR + 1, False), (2**63, False), (10**300, False)]
)
def test_a38_the_most_is_the_most(guest, amount, accepted):
    answer = guest.create(amount=f"{amount // 100}.{amount % 100:02}")

    assert answer.status_code == (201 if accepted else 400)
    assert answer.json().get("code") in (None, "amount_too_large", "invalid_amount", "invalid_number")
