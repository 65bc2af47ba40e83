"""Flutterwave's JSON, as its documents and its traps have it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tillgate.gateways.declines import decline
from tillgate.gateways.errors import GatewayUnknown, Rejected
from tillgate.gateways.flutterwave import wire
from tillgate.gateways.http import _json_text
from tillgate.gateways.protocol import ChargeRequest, GatewayState, PaymentRequest, RefundState
from tillgate.money import EXPONENTS, MAX_MINOR, Money

MISSING = object()
REQUEST = PaymentRequest(
    gateway_reference="ATT_1",
    amount=Money(750_050, "NGN"),
    customer_email="ada@example.com",
    description="Two tickets",
    return_url="https://shop.example/return",
    cancel_url="https://shop.example/cancel",
)
CHARGE = ChargeRequest(
    gateway_reference="ATT_2",
    amount=Money(750_050, "NGN"),
    customer_email="ada@example.com",
    description="May",
    token="flw-t1nf-1",
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def transaction(**changes):
    data = {
        "id": 288_200_108,
        "tx_ref": "ATT_1",
        "status": "successful",
        "amount": 7_500,
        "charged_amount": 7_500,
        "currency": "NGN",
        "app_fee": Decimal("150.5"),
        "merchant_fee": 0,
        "processor_response": "Approved by Financial Institution",
        "payment_type": "card",
        "created_at": "2026-01-31T12:00:00.000Z",
        "card": {"token": "flw-t1nf-1", "expiry": "09/32", "type": "MASTERCARD", "last_4digits": "2950"},
    }
    return {name: value for name, value in {**data, **changes}.items() if value is not MISSING}


def refund(**changes):
    data = {"id": 75_923, "tx_id": 7, "status": "completed", "amount_refunded": 69, "comments": "REF_1"}
    return {name: value for name, value in {**data, **changes}.items() if value is not MISSING}


def read(**changes):
    return wire.read_payment(transaction(**changes), "test")


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("successful", GatewayState.SUCCEEDED),
        ("success", GatewayState.SUCCEEDED),
        ("pending", GatewayState.PROCESSING),
        ("success-pending-validation", GatewayState.PROCESSING),
        ("failed", GatewayState.FAILED),
    ],
)
def test_every_status_has_one_meaning(word, state):
    assert read(status=word).state == state


def test_the_table_of_statuses_is_the_one_above():
    assert len(wire.PAYMENT_STATES) == 5


@pytest.mark.parametrize(
    "word",
    [
        *("quantum", "", "Successful", "SUCCESSFUL", " successful", "successful ", "succeeded", "completed"),
        *("successful-pending-validation", "success-pending", "cancelled", "error", None, True, 1, 0),
        *([], ["successful"], {}, {"status": "successful"}, MISSING),
    ],
)
def test_an_unknown_status_is_never_guessed(word):
    with pytest.raises(GatewayUnknown, match="status"):
        read(status=word)


def test_a_whole_answer_is_read():
    snapshot = read()

    assert (snapshot.gateway_id, snapshot.gateway_reference, snapshot.mode) == ("288200108", "ATT_1", "test")
    assert snapshot.amount == snapshot.requested == Money(750_000, "NGN")
    assert (snapshot.fee, snapshot.channel, snapshot.failure) == (Money(15_050, "NGN"), "card", None)
    assert snapshot.paid_at == datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize("mode", ["test", "live"])
def test_the_mode_is_the_keys(mode):
    assert wire.read_payment(transaction(mode="other", domain="other"), mode).mode == mode


BAD_AMOUNTS = [
    *("", " 5", "-5", "+5", "5e3", "1_000", "٣", "²", "NaN", "1.005", "5.", ".5", "1,000", "x" * 5_000),
    *(Decimal("1.005"), Decimal("NaN"), Decimal("1e400"), Decimal("1E+3"), Decimal(-1), Decimal("0.001")),
    *(1999.0, 10.5, -1, None, True, False, [], {}, MISSING, 10**30, "9" * 4_000),
    Decimal("100." + "0" * 50 + "1"),
    Decimal(MAX_MINOR + 1) / 100,
]


@pytest.mark.parametrize("name", ["amount", "charged_amount"])
@pytest.mark.parametrize("amount", [*BAD_AMOUNTS, 0, "0", "0.00"])
def test_what_is_no_amount_is_unknown(name, amount):
    with pytest.raises(GatewayUnknown):
        read(**{name: amount})


@pytest.mark.parametrize(
    ("value", "currency", "minor"),
    [
        (7_500, "NGN", 750_000),
        ("7500", "NGN", 750_000),
        (Decimal("98.6"), "NGN", 9_860),
        ("98.60", "NGN", 9_860),
        (Decimal("98.600"), "NGN", 9_860),
        (Decimal("0.01"), "USD", 1),
        (5_000, "XOF", 5_000),
        (Decimal("5000.00"), "UGX", 5_000),
        ("5000.0", "RWF", 5_000),
        (10, "XAF", 10),
        (100, "NGN", 10_000),
        ("9999999999.99", "NGN", MAX_MINOR),
    ],
)
def test_amounts_are_major_units_as_number_or_text(value, currency, minor):
    assert wire.read_amount(value, currency) == Money(minor, currency)


@pytest.mark.parametrize("value", [Decimal("0.5"), "5000.01", Decimal("5000.10")])
@pytest.mark.parametrize("currency", ["UGX", "RWF", "XAF", "XOF"])
def test_a_part_of_a_franc_or_shilling_is_no_amount(value, currency):
    with pytest.raises(GatewayUnknown):
        wire.read_amount(value, currency)


@pytest.mark.parametrize("currency", ["ngn", "JPY", "SLL", "", None, 5, True, [], {}, ["NGN"], MISSING])
def test_a_currency_that_flutterwave_does_not_have_is_unknown(currency):
    with pytest.raises(GatewayUnknown):
        read(currency=currency)


def test_every_currency_is_one_of_iso_4217():
    assert set(EXPONENTS) >= wire.CURRENCIES
    assert {code for code in wire.CURRENCIES if EXPONENTS[code] == 0} == {"UGX", "RWF", "XAF", "XOF"}


@settings(max_examples=300, deadline=None)
@given(st.integers(1, MAX_MINOR), st.sampled_from(sorted(wire.CURRENCIES)))
def test_what_is_sent_is_read_back_to_the_last_digit(minor, currency):
    amount = Money(minor, currency)
    sent = _json_text({"amount": wire.to_major(amount)})

    assert wire.read_amount(json.loads(sent, parse_float=Decimal)["amount"], currency) == amount
    assert "e" not in sent.removeprefix('{"amount"').lower()


def test_the_fee_may_come_on_top():
    snapshot = read(amount=50_000, charged_amount=50_700, app_fee=700)

    assert (snapshot.amount, snapshot.requested) == (Money(5_070_000, "NGN"), Money(5_000_000, "NGN"))
    assert snapshot.fee == Money(70_000, "NGN")


@pytest.mark.parametrize(
    ("charged", "fee"),
    [
        (50_800, Money(80_000, "NGN")),  # The payer bore both: what came on top is the fee, and settles.
        (50_700, Money(70_000, "NGN")),
        (50_750, Money(70_000, "NGN")),  # Neither: this is for a person to look at.
        (50_000, Money(70_000, "NGN")),
    ],
)
def test_a_fee_of_the_merchants_counts_where_the_payer_bore_it(charged, fee):
    assert read(amount=50_000, charged_amount=charged, app_fee=700, merchant_fee=100).fee == fee


@pytest.mark.parametrize(
    ("fee", "minor"),
    [
        (Decimal("1.4"), 140),
        (Decimal("1.405"), 141),
        (Decimal("1.404999999999"), 140),
        ("1.415", 142),
        (0, 0),
        (Decimal("999999999999.999"), 100_000_000_000_000),
    ],
)
def test_a_part_of_a_kobo_in_a_fee_is_rounded_half_up(fee, minor):
    assert read(app_fee=fee).fee == Money(minor, "NGN")


@pytest.mark.parametrize(("fee", "minor"), [(Decimal("98.5"), 99), (Decimal("98.49"), 98)])
def test_a_part_of_a_franc_in_a_fee_is_rounded_half_up(fee, minor):
    assert read(currency="XOF", app_fee=fee).fee == Money(minor, "XOF")


@pytest.mark.parametrize("fee", [None, True, "", "-1", -1, "1e3", Decimal("NaN"), [], {}, "1" * 13, MISSING])
def test_a_fee_that_cannot_be_read_does_not_hide_the_money(fee):
    snapshot = read(app_fee=fee)

    assert (snapshot.fee, snapshot.amount) == (None, Money(750_000, "NGN"))


@pytest.mark.parametrize("fee", [None, "x", MISSING])
def test_a_fee_of_the_merchants_that_cannot_be_read_is_none(fee):
    assert read(merchant_fee=fee).fee == Money(15_050, "NGN")


@pytest.mark.parametrize("id", [288_200_108, "288200108"])
def test_an_id_is_a_number_here_and_text_in_lists(id):
    assert read(id=id).gateway_id == "288200108"


@pytest.mark.parametrize(
    "id", [None, True, 0, -1, "", "abc", "1/2", "1 ", "٣", Decimal("5.0"), [], {}, "9" * 100, 10**40, MISSING]
)
def test_what_is_no_id_is_unknown(id):
    with pytest.raises(GatewayUnknown):
        read(id=id)
    with pytest.raises(GatewayUnknown):
        wire.read_refund(refund(id=id), "NGN")


@pytest.mark.parametrize(
    ("word", "channel"),
    [
        ("card", "card"),
        ("bank_transfer", "bank_transfer"),
        ("banktransfer", "bank_transfer"),
        ("account", "bank"),
        ("ussd", "ussd"),
        ("mpesa", "mobile_money"),
        ("mobilemoneyghana", "mobile_money"),
        ("mobilemoneyuganda", "mobile_money"),
        ("applepay", "applepay"),
        ("a\x00b", ""),
        (None, ""),
        ([], ""),
    ],
)
def test_a_way_to_pay_has_our_word_where_we_have_one(word, channel):
    assert read(payment_type=word).channel == channel


@pytest.mark.parametrize("created_at", [None, "", "yesterday", "2026-01-31", 1_700_000_000, [], MISSING])
def test_a_broken_time_does_not_hide_the_money(created_at):
    snapshot = read(created_at=created_at)

    assert (snapshot.paid_at, snapshot.state) == (None, GatewayState.SUCCEEDED)


@pytest.mark.parametrize("status", ["pending", "failed", "success-pending-validation"])
def test_what_did_not_pay_has_no_time_and_no_method(status):
    snapshot = read(status=status)

    assert (snapshot.paid_at, snapshot.saved_method) == (None, None)


@pytest.mark.parametrize(
    ("sentence", "code"),
    [
        *wire.DECLINES.items(),
        ("Insufficient Funds", "insufficient_funds"),
        (" Do Not Honour", "do_not_honor"),
        ("Do not honor.", "do_not_honor"),
        ("Declined by Financial Institution", "declined"),
    ],
)
def test_a_failure_has_our_word_for_it(sentence, code):
    assert read(status="failed", processor_response=sentence).failure == decline(code)


@pytest.mark.parametrize(
    ("sentence", "word"),
    [("Please enter the OTP", "Please enter the OTP"), ("", "nothing"), (None, "nothing"), ({}, "nothing")],
)
def test_a_failure_in_words_that_no_table_has_is_told_as_such(sentence, word):
    failure = read(status="failed", processor_response=sentence).failure

    assert (failure.code, failure.unmapped) == ("unknown", word)


def test_words_of_a_bank_say_nothing_of_a_payment_that_succeeded():
    snapshot = read(processor_response="Please enter the OTP sent to your mobile number")

    assert (snapshot.state, snapshot.failure) == (GatewayState.SUCCEEDED, None)


def test_a_card_with_a_token_is_a_saved_method():
    method = read().saved_method

    assert (method.token, method.kind, method.brand) == ("flw-t1nf-1", "card", "mastercard")
    assert (method.last4, method.expires_month) == ("2950", "2032-09")


@pytest.mark.parametrize(
    "card", [MISSING, None, {}, [], "x", {"token": ""}, {"token": None}, {"token": "a\n"}]
)
def test_a_card_without_a_token_is_not_saved(card):
    assert read(card=card).saved_method is None


@pytest.mark.parametrize("expiry", ["9/32", "13/32", "00/32", "09/2032", "09-32", "٠٩/32", None, 932, ""])
def test_an_expiry_is_a_month_or_nothing(expiry):
    assert read(card={"token": "t", "expiry": expiry}).saved_method.expires_month == ""


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(transaction())), json_values)
def test_no_value_anywhere_is_more_than_unknown(name, value):
    try:
        snapshot = read(**{name: value})
    except GatewayUnknown:
        return
    assert snapshot.amount.minor > 0
    assert (snapshot.state == GatewayState.SUCCEEDED) == (
        name != "status" or value in ("successful", "success")
    )


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("new", RefundState.PENDING),
        ("pending", RefundState.PENDING),
        ("pending-momo", RefundState.PENDING),
        ("processing", RefundState.PENDING),
        ("completed", RefundState.SUCCEEDED),
        ("completed-bank-transfer", RefundState.SUCCEEDED),
        ("completed-momo", RefundState.SUCCEEDED),
        ("completed-mpgs", RefundState.SUCCEEDED),
        ("completed-offline", RefundState.SUCCEEDED),
        ("failed", RefundState.FAILED),
    ],
)
def test_every_status_of_a_refund_has_one_meaning(word, state):
    assert wire.read_refund(refund(status=word), "NGN").state == state


@pytest.mark.parametrize("word", ["success", "Completed", "completedx", "", None, [], {}, 1, MISSING])
def test_an_unknown_status_of_a_refund_is_never_guessed(word):
    with pytest.raises(GatewayUnknown, match="status"):
        wire.read_refund(refund(status=word), "NGN")


@pytest.mark.parametrize(
    ("change", "note"),
    [({}, "REF_1"), ({"comments": None, "comment": "REF_2"}, "REF_2"), ({"comments": MISSING}, "")],
)
def test_a_refund_keeps_our_note_under_either_name(change, note):
    assert wire.read_refund(refund(**change), "NGN").note == note


@pytest.mark.parametrize("amount", [0, "0.00", -1, None])
def test_a_refund_of_nothing_is_not_believed(amount):
    with pytest.raises(GatewayUnknown):
        wire.read_refund(refund(amount_refunded=amount), "NGN")


def test_a_refund_is_of_the_transactions_currency():
    assert wire.read_refund(refund(), "NGN").amount == Money(6_900, "NGN")
    assert wire.read_refund(refund(), "XOF").amount == Money(69, "XOF")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(refund())), json_values)
def test_no_value_in_a_refund_is_more_than_unknown(name, value):
    try:
        wire.read_refund(refund(**{name: value}), "NGN")
    except GatewayUnknown:
        return


def test_we_ask_for_the_amount_in_major_units_and_name_one_page():
    assert wire.payment_request(REQUEST) == {
        "tx_ref": "ATT_1",
        "amount": Decimal("7500.50"),
        "currency": "NGN",
        "redirect_url": "https://shop.example/return",
        "customer": {"email": "ada@example.com"},
        "customizations": {"description": "Two tickets"},
    }


def test_who_wants_to_save_a_method_is_offered_cards_first_and_then_the_others():
    options = wire.payment_request(replace(REQUEST, save_method=True))["payment_options"].split(", ")

    assert options[0] == "card"
    assert {"banktransfer", "ussd", "mobilemoneyghana"} < set(options)
    assert len(options) == len(set(options))
    assert "payment_options" not in wire.payment_request(REQUEST)


def test_we_charge_a_token_under_the_address_it_was_made_with():
    assert wire.charge_request(CHARGE) == {
        "token": "flw-t1nf-1",
        "email": "ada@example.com",
        "currency": "NGN",
        "amount": Decimal("7500.50"),
        "tx_ref": "ATT_2",
        "narration": "May",
    }


@pytest.mark.parametrize("currency", ["KWD", "JPY", "SLE", "BRL"])
def test_a_currency_that_flutterwave_does_not_have_is_not_sent(currency):
    amount = Money(5_000, currency)

    with pytest.raises(Rejected, match=currency):
        wire.payment_request(replace(REQUEST, amount=amount))
    with pytest.raises(Rejected, match=currency):
        wire.charge_request(replace(CHARGE, amount=amount))
