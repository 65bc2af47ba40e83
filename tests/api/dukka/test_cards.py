"""Card data is refused, and its value is found nowhere afterwards."""

import json
import logging
from typing import Any, cast

import pytest
from django.apps import apps
from django.core import serializers

from tests.api.dukka.calls import INITIALIZE, PLAIN, stop
from tillgate.api.dukka.cards import refuse_card_data
from tillgate.common.errors import InvalidRequest
from tillgate.payments.models import Payment

CANARY = "4084084084084081"
NAMES = [
    *("card", "card_number", "cardnumber", "cardNumber", "Card-Number", "CARD NUMBER", "card.number"),
    *("pan", "PAN", "number", "Number", "credit_card", "debitCard", "card_no", "cardholder", "card[number]"),
    *("cvv", "CVV2", "cvc", "cvc2", "c_v_v", "card_cvv", "cvv-code", "security_code", "csc", "pin", "P-I-N"),
    *("expiry", "expiry_month", "expiryYear", "exp", "exp_month", "exp-year", "exp_date", "EXPIRATION"),
    *("expiration_date", "track1", "track_2", "\uff43\uff41\uff52\uff44"),
]
VALUES = ["4084084084084081", "4084 0840 8408 4081", "4084-0840-8408-4081", 4084084084084081]
HOLDS = [
    {"email": f"{CANARY}@example.com"},
    {"email": CANARY},
    {"amount": CANARY},
    {"amount": int(CANARY)},
    {"payment_interval": CANARY},
    {"subscription_plan": CANARY},
    {"note": f"my card is {CANARY}"},
    {CANARY: 1},
    {"note": {CANARY: {"deep": 1}}},
    {f"card{CANARY}": 1},
    {"list": [1, [2, {"inner": CANARY}]]},
]


def dump() -> str:
    """Every row of every table."""
    return "".join(
        serializers.serialize("json", model.objects.all()) for model in cast(list[Any], apps.get_models())
    )


def assert_refused_without_a_trace(answer, log):
    assert (answer.status_code, answer.json()["code"]) == (400, "card_data_not_accepted")
    told = answer.content.decode() + str(answer.headers) + log + dump()
    assert CANARY not in told
    assert "408408" not in told
    assert not Payment.objects.exists()


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_member_that_is_named_as_card_data_is_refused_at_any_depth(customer, name):
    for members in ({name: "123"}, {"customer": {name: "123"}}, {"list": [{"a": 1}, {name: None}]}):
        answer = customer.post(INITIALIZE, {**PLAIN, **members})

        assert (answer.status_code, answer.json()["code"]) == (400, "card_data_not_accepted")
        [(named, [message])] = answer.json()["errors"].items()
        assert named.endswith(name)
        assert "never accepted" in message


@pytest.mark.parametrize("name", ["card_number", "cvv", "pin"])
@pytest.mark.parametrize("value", VALUES, ids=str)
def test_i13_the_value_reaches_no_answer_no_log_and_no_table(customer, caplog, name, value):
    caplog.set_level(logging.DEBUG)

    answer = customer.post(INITIALIZE, {**PLAIN, "payer": {name: value}})

    assert_refused_without_a_trace(answer, caplog.text)


@pytest.mark.parametrize("members", HOLDS, ids=lambda value: ascii(value)[:40])
def test_a49_a_card_number_anywhere_else_is_refused_as_well(customer, caplog, members):
    caplog.set_level(logging.DEBUG)

    answer = customer.post(INITIALIZE, {**PLAIN, **members})

    assert_refused_without_a_trace(answer, caplog.text)


def test_neither_does_it_pass_in_the_address_nor_at_another_door(customer, caplog):
    caplog.set_level(logging.DEBUG)

    for answer in (
        customer.post(f"{INITIALIZE}?card_number={CANARY}", PLAIN),
        customer.post(stop(1), {"card": CANARY}),
        customer.post(stop(1), {"note": CANARY}),
    ):
        assert_refused_without_a_trace(answer, caplog.text)


@pytest.mark.parametrize(
    "text",
    ['{"card_number": 4.084084084084081e15}', f'{{"card": {CANARY}, "card": 1}}', f'{{"card": "{CANARY}"'],
)
def test_what_is_not_even_json_is_not_repeated_either(customer, caplog, text):
    caplog.set_level(logging.DEBUG)

    answer = customer.post(INITIALIZE, text.encode())

    assert answer.status_code == 400
    assert "4084084" not in answer.content.decode() + caplog.text + dump()


@pytest.mark.parametrize(
    "body",
    [
        {"email": "ada4084@example.com", "amount": "1500.00"},
        {"email": "08031234567@example.com", "amount": 9999999999.99},
        {"phone": "+234 803 123 4567", "expires_in": 300, "discount": 1, "telephone_number": "1"},
    ],
    ids=json.dumps,
)
def test_what_is_no_card_data_is_not_taken_for_it(body):
    refuse_card_data(body)


def test_many_at_once_are_told_without_end():
    with pytest.raises(InvalidRequest) as refused:
        refuse_card_data({f"card_{letter}": 1 for letter in "abcdefghijklmnopqrstuvwxyz"})

    assert len(refused.value.errors) == 20
