"""Paystack's JSON, as its documents and its traps have it."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator

from tests.gateways.contracts import example, specification
from tillgate.gateways.declines import decline
from tillgate.gateways.errors import GatewayUnknown, Rejected
from tillgate.gateways.paystack import wire
from tillgate.gateways.protocol import GatewayState, PaymentRequest, RefundState
from tillgate.money import MAX_MINOR, Money

MISSING = object()
REQUEST = PaymentRequest(
    gateway_reference="ATT_1",
    amount=Money(500_000, "NGN"),
    customer_email="ada@example.com",
    description="Two tickets",
    return_url="https://shop.example/return",
    cancel_url="https://shop.example/cancel",
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def transaction(**changes):
    data = {
        "id": 5_805_764_100,
        "domain": "test",
        "status": "success",
        "reference": "ATT_1",
        "amount": 500_000,
        "requested_amount": 500_000,
        "currency": "NGN",
        "fees": 17_500,
        "channel": "card",
        "paid_at": "2026-01-31T12:00:00.000Z",
        "gateway_response": "Approved",
        "metadata": "",
        "authorization": {},
        "plan": None,
    }
    return {name: value for name, value in {**data, **changes}.items() if value is not MISSING}


def refund(**changes):
    data = {"id": 6_018_284_001, "status": "pending", "amount": 10_000, "currency": "NGN", "transaction": 1}
    return {name: value for name, value in {**data, **changes}.items() if value is not MISSING}


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("success", GatewayState.SUCCEEDED),
        ("abandoned", GatewayState.PENDING),
        ("ongoing", GatewayState.PENDING),
        ("pending", GatewayState.PROCESSING),
        ("processing", GatewayState.PROCESSING),
        ("queued", GatewayState.PROCESSING),
        ("failed", GatewayState.FAILED),
        ("reversed", GatewayState.REVERSED),
        ("reversal-pending", GatewayState.REVERSING),
    ],
)
def test_every_status_has_one_meaning(word, state):
    assert wire.read_payment(transaction(status=word)).state == state


def test_the_table_of_statuses_is_the_one_above():
    assert len(wire.PAYMENT_STATES) == 9


@pytest.mark.parametrize(
    "word",
    [
        "quantum",
        "",
        "Success",
        "SUCCESS",
        " success",
        "success ",
        "succeeded",
        "paid",
        "send_otp",
        "cancelled",
        None,
        True,
        1,
        0,
        [],
        ["success"],
        {},
        {"status": "success"},
        MISSING,
    ],
)
def test_an_unknown_status_is_never_guessed(word):
    with pytest.raises(GatewayUnknown, match="status"):
        wire.read_payment(transaction(status=word))


def test_a_whole_answer_is_read():
    snapshot = wire.read_payment(transaction())

    assert (snapshot.gateway_id, snapshot.gateway_reference, snapshot.mode) == ("5805764100", "ATT_1", "test")
    assert snapshot.amount == snapshot.requested == Money(500_000, "NGN")
    assert (snapshot.fee, snapshot.channel, snapshot.failure) == (Money(17_500, "NGN"), "card", None)
    assert snapshot.paid_at == datetime(2026, 1, 31, 12, tzinfo=UTC)


BAD_AMOUNTS = [
    "",
    " 5",
    "5.0",
    "-5",
    "+5",
    "5e3",
    "1_000",
    "٣",
    "²",
    "NaN",
    "9" * 5_000,
    "x" * 5_000,
    Decimal("1999.0"),
    Decimal("NaN"),
    Decimal("1e400"),
    1999.0,
    -1,
    None,
    True,
    False,
    [],
    {},
    MISSING,
    10**30,
    (MAX_MINOR + 1),
]


@pytest.mark.parametrize("amount", [*BAD_AMOUNTS, 0, "0"])
def test_what_is_no_amount_is_unknown(amount):
    with pytest.raises(GatewayUnknown):
        wire.read_payment(transaction(amount=amount))


@pytest.mark.parametrize("amount", [amount for amount in BAD_AMOUNTS if amount not in (None, MISSING)])
def test_what_was_asked_for_is_read_as_strictly(amount):
    with pytest.raises(GatewayUnknown):
        wire.read_payment(transaction(requested_amount=amount))


@pytest.mark.parametrize("amount", [None, MISSING])
def test_what_was_asked_for_need_not_be_told(amount):
    assert wire.read_payment(transaction(requested_amount=amount)).requested is None


def test_digits_in_a_string_are_an_amount():
    assert wire.read_amount("10000", "NGN") == Money(10_000, "NGN")
    assert wire.read_amount(str(MAX_MINOR), "NGN") == Money(MAX_MINOR, "NGN")


@pytest.mark.parametrize("currency", ["ngn", "EUR", "JPY", "", None, 5, True, [], {}, ["NGN"], MISSING])
def test_a_currency_that_paystack_does_not_have_is_unknown(currency):
    with pytest.raises(GatewayUnknown):
        wire.read_payment(transaction(currency=currency))


@pytest.mark.parametrize("fees", BAD_AMOUNTS)
def test_a_fee_that_cannot_be_read_does_not_hide_the_money(fees):
    snapshot = wire.read_payment(transaction(fees=fees))

    assert (snapshot.fee, snapshot.amount) == (None, Money(500_000, "NGN"))


def test_the_fee_may_come_on_top():
    snapshot = wire.read_payment(transaction(amount=40_333, requested_amount=30_050, fees=10_283))

    assert (snapshot.amount, snapshot.requested) == (Money(40_333, "NGN"), Money(30_050, "NGN"))
    assert snapshot.fee == Money(10_283, "NGN")


def test_francs_are_told_in_hundredths():
    snapshot = wire.read_payment(
        transaction(currency="XOF", amount=500_000, requested_amount=500_000, fees=9_800)
    )

    assert (snapshot.amount, snapshot.fee) == (Money(5_000, "XOF"), Money(98, "XOF"))


def test_a_part_of_a_franc_is_no_amount():
    with pytest.raises(GatewayUnknown, match="no amount of XOF"):
        wire.read_payment(transaction(currency="XOF", amount=500_050))


def test_a_fee_of_a_part_of_a_franc_does_not_hide_the_money():
    snapshot = wire.read_payment(
        transaction(currency="XOF", amount=502_500, requested_amount=502_500, fees=16_080)
    )

    assert (snapshot.amount, snapshot.fee) == (Money(5_025, "XOF"), None)


@pytest.mark.parametrize(
    ("id", "text"),
    [(1, "1"), (2**31, "2147483648"), (2**53 + 1, "9007199254740993"), ("5805764100", "5805764100")],
)
def test_ids_are_of_any_size(id, text):
    assert wire.read_payment(transaction(id=id)).gateway_id == text


@pytest.mark.parametrize(
    "id",
    [
        None,
        True,
        False,
        0,
        -1,
        "",
        "abc",
        "1/2",
        "1 ",
        "٣",
        Decimal("5.0"),
        5.0,
        [],
        {},
        "9" * 100,
        10**40,
        MISSING,
    ],
)
def test_what_is_no_id_is_unknown(id):
    with pytest.raises(GatewayUnknown):
        wire.read_payment(transaction(id=id))
    with pytest.raises(GatewayUnknown):
        wire.read_refund(refund(id=id))


@pytest.mark.parametrize("metadata", [0, "", None, {}, {"a": [1]}, "words", [], MISSING])
def test_metadata_of_any_shape_does_no_harm(metadata):
    assert wire.read_payment(transaction(metadata=metadata)) == wire.read_payment(transaction())


@pytest.mark.parametrize("domain", ["", "Test", "prod", None, True, [], {}, MISSING])
def test_a_mode_that_is_none_is_unknown(domain):
    with pytest.raises(GatewayUnknown, match="domain"):
        wire.read_payment(transaction(domain=domain))


@pytest.mark.parametrize(
    "paid_at",
    [
        None,
        "",
        "yesterday",
        "2026-13-01T00:00:00Z",
        "2026-01-31 12:00:00",
        "2026-01-31",
        1_700_000_000,
        [],
        {},
        MISSING,
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_a_broken_time_does_not_hide_the_money(paid_at):
    snapshot = wire.read_payment(transaction(paid_at=paid_at))

    assert (snapshot.paid_at, snapshot.state) == (None, GatewayState.SUCCEEDED)


@pytest.mark.parametrize(("name", "field"), [("channel", "channel"), ("reference", "gateway_reference")])
@pytest.mark.parametrize(
    "value", [None, 5, [], {}, "a\x00b", "a\nb", "\ud800", "x" * 5_000, "\u202ecod", MISSING]
)
def test_a_text_that_no_table_should_keep_is_left_out(name, field, value):
    assert getattr(wire.read_payment(transaction(**{name: value})), field) == ""


@pytest.mark.parametrize(
    ("sentence", "code"),
    [
        *wire.DECLINES.items(),
        ("Insufficient Funds", "insufficient_funds"),
        ("insufficient funds. Please try another card", "insufficient_funds"),
        (" Do Not Honor", "do_not_honor"),
        ("Suspected Fraud", "fraud_suspected"),
    ],
)
def test_a_failure_has_our_word_for_it(sentence, code):
    failure = wire.read_payment(transaction(status="failed", gateway_response=sentence)).failure

    assert failure == decline(code)


@pytest.mark.parametrize(
    ("sentence", "word"),
    [
        ("Something new", "Something new"),
        ("", "nothing"),
        (None, "nothing"),
        (5, "nothing"),
        ("\x00", "nothing"),
    ],
)
def test_a_failure_in_words_that_no_table_has_is_told_as_such(sentence, word):
    failure = wire.read_payment(transaction(status="failed", gateway_response=sentence)).failure

    assert (failure.code, failure.unmapped) == ("unknown", word)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(transaction())), json_values)
def test_no_value_anywhere_is_more_than_unknown(name, value):
    try:
        snapshot = wire.read_payment(transaction(**{name: value}))
    except GatewayUnknown:
        return
    assert snapshot.amount.minor > 0
    assert (snapshot.state == GatewayState.SUCCEEDED) == (
        name != "status" or value in ("success", "reversal-pending")
    )


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("pending", RefundState.PENDING),
        ("processing", RefundState.PENDING),
        ("needs-attention", RefundState.PENDING),
        ("processed", RefundState.SUCCEEDED),
        ("failed", RefundState.FAILED),
    ],
)
def test_every_status_of_a_refund_has_one_meaning(word, state):
    assert wire.read_refund(refund(status=word)).state == state


@pytest.mark.parametrize("word", ["success", "", None, [], {}, 1, MISSING])
def test_an_unknown_status_of_a_refund_is_never_guessed(word):
    with pytest.raises(GatewayUnknown, match="status"):
        wire.read_refund(refund(status=word))


@pytest.mark.parametrize("named", [7, "7", {"id": 7}])
def test_a_refund_names_its_transaction_in_three_ways(named):
    assert wire.transaction_of(refund(transaction=named)) == "7"


@pytest.mark.parametrize("named", [None, {}, [], "x", {"id": None}, MISSING])
def test_a_refund_of_nothing_names_none(named):
    assert wire.transaction_of(refund(transaction=named)) is None


@pytest.mark.parametrize("amount", [0, "0", -1, None, MISSING])
def test_a_refund_of_nothing_is_not_believed(amount):
    with pytest.raises(GatewayUnknown):
        wire.read_refund(refund(amount=amount))


def test_a_refund_keeps_our_note():
    assert wire.read_refund(refund(merchant_note="REF_1")).note == "REF_1"


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(refund())), json_values)
def test_no_value_in_a_refund_is_more_than_unknown(name, value):
    try:
        wire.read_refund(refund(**{name: value}))
    except GatewayUnknown:
        return


def test_we_ask_for_the_amount_and_name_our_pages():
    assert wire.payment_request(REQUEST) == {
        "email": "ada@example.com",
        "amount": 500_000,
        "currency": "NGN",
        "reference": "ATT_1",
        "callback_url": "https://shop.example/return",
        "metadata": {
            "cancel_action": "https://shop.example/cancel",
            "custom_fields": [
                {"display_name": "For", "variable_name": "description", "value": "Two tickets"}
            ],
        },
    }


def test_who_wants_to_save_a_method_is_offered_cards_first_and_then_the_others():
    channels = wire.payment_request(replace(REQUEST, save_method=True))["channels"]

    assert channels[0] == "card"
    assert sorted(channels) == sorted(wire.CHANNELS)
    assert "channels" not in wire.payment_request(REQUEST)


def test_without_a_description_there_is_no_field_for_it():
    body = wire.payment_request(replace(REQUEST, description=""))

    assert body["metadata"] == {"cancel_action": "https://shop.example/cancel"}


@pytest.mark.parametrize(
    ("amount", "subunits"),
    [(Money(1, "NGN"), 1), (Money(5_000, "XOF"), 500_000), (Money(5_000, "KES"), 5_000)],
)
def test_subunits_are_hundredths_in_every_currency(amount, subunits):
    assert wire.payment_request(replace(REQUEST, amount=amount))["amount"] == subunits
    assert wire.read_amount(subunits, amount.currency) == amount


@pytest.mark.parametrize("currency", ["KWD", "JPY", "EUR", "CLF"])
def test_a_currency_that_paystack_does_not_have_is_not_sent(currency):
    with pytest.raises(Rejected, match=currency):
        wire.payment_request(replace(REQUEST, amount=Money(5_000, currency)))


def test_our_request_is_valid_by_their_specification():
    document = specification("paystack/paystack-openapi.yaml")
    schema = {"$ref": "#/components/schemas/TransactionInitialize", "components": document["components"]}
    validator = OAS30Validator(schema)

    assert [error.message for error in validator.iter_errors(wire.payment_request(REQUEST))] == []
    assert list(validator.iter_errors({**wire.payment_request(REQUEST), "amount": "5000"}))


def test_their_example_of_a_verified_payment_is_read():
    snapshot = wire.read_payment(example("paystack/verify_success.json")["data"])

    assert (snapshot.state, snapshot.amount, snapshot.requested) == (
        GatewayState.SUCCEEDED,
        Money(10_000, "NGN"),
        Money(10_000, "NGN"),
    )
    assert (snapshot.fee, snapshot.mode, snapshot.channel) == (None, "live", "direct_debit")
    assert snapshot.paid_at == datetime(2023, 10, 24, 12, 32, 30, tzinfo=UTC)


def test_their_example_of_a_charge_has_no_requested_amount():
    snapshot = wire.read_payment(example("paystack/charge_authorization_success.json")["data"])

    assert (snapshot.amount, snapshot.requested, snapshot.paid_at) == (Money(35_247, "NGN"), None, None)


def test_their_example_of_a_started_payment_is_read():
    started = wire.read_started(example("paystack/initialize_reply.json")["data"], "re4lyvq3s3")

    assert started.redirect_url == "https://checkout.paystack.com/3ni8kdavz62431k"
    assert started.access_code == "3ni8kdavz62431k"


@pytest.mark.parametrize(
    "change",
    [
        {"reference": "another"},
        {"reference": None},
        {"authorization_url": None},
        {"authorization_url": "javascript:alert(1)"},
        {"authorization_url": "//evil.example"},
        {"authorization_url": "httpx://evil.example"},
        {"authorization_url": "https://x.example/\r\nSet-Cookie: a=b"},
        {"authorization_url": "https://x.example/" + "x" * 3_000},
    ],
)
def test_a_session_that_is_not_ours_is_unknown(change):
    data = {"authorization_url": "https://checkout.example/a", "access_code": "a", "reference": "ATT_1"}

    assert wire.read_started(data, "ATT_1").access_code == "a"
    with pytest.raises(GatewayUnknown):
        wire.read_started({**data, **change}, "ATT_1")
