"""A-20, S-10: who guesses learns nothing, not even that he was near."""

import secrets

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.client import PAYMENTS
from tests.builders import make_payment, make_subscription
from tillgate.common.references import new_reference, new_token

GUESSES = 2_000


def told(answer):
    """What an answer tells, but for the guess that it repeats and the request's own id."""
    body = answer.json()
    return answer.status_code, body["code"], body["errors"], sorted(body)


def test_a20_two_thousand_guesses_find_nothing_and_are_all_told_the_same(guest, payment):
    guesses = [new_reference("PAY") for _ in range(GUESSES)]

    answers = {told(guest.get(f"{PAYMENTS}/{guess}"))[:2] for guess in guesses}

    assert answers == {(404, "not_found")}


@pytest.mark.parametrize("place", range(4, 30, 5))
def test_a20_a_near_guess_is_told_what_a_far_one_is(guest, payment, place):
    near = list(payment.reference)
    near[place] = "0" if near[place] != "0" else "1"

    answer = guest.get(f"{PAYMENTS}/{''.join(near)}")

    assert told(answer) == told(guest.get(f"{PAYMENTS}/{new_reference('PAY')}"))


def test_a20_counting_up_and_other_peoples_ids_find_nothing(guest, payment):
    attempt = new_reference("ATT")
    for guess in (
        1,
        payment.pk,
        payment.reference[4:],
        attempt,
        payment.checkout_token,
        "%00",
        "'--",
        "..%2f",
    ):
        assert guest.get(f"{PAYMENTS}/{guess}").status_code == 404


def test_a20_another_merchants_payment_is_told_as_one_that_is_not_there(stranger, payment):
    there, nowhere = (f"{PAYMENTS}/{reference}" for reference in (payment.reference, new_reference("PAY")))

    assert told(stranger.get(there)) == told(stranger.get(nowhere))


def test_a20_finding_and_not_finding_ask_the_same_of_the_database(guest, payment):
    asked = []
    for reference in (payment.reference, new_reference("PAY")):
        guest.get(f"{PAYMENTS}/{reference}")
        with CaptureQueriesContext(connection) as captured:
            guest.get(f"{PAYMENTS}/{reference}")
        asked.append([query["sql"].replace(reference, "…") for query in captured])

    assert asked[0] == asked[1]


@pytest.mark.parametrize("place", ["/pay/", "/subscription/"])
def test_a20_links_are_not_guessed_either(client, merchant, place):
    make_payment(merchant)
    make_subscription(merchant)
    pages = {client.get(f"{place}{new_token()}").content for _ in range(50)}

    assert len(pages) == 1


def test_s10_every_secret_has_128_random_bits_or_more():
    assert len(new_token()) * 5 >= 128
    assert len(secrets.token_urlsafe(32)) >= 43


def test_a20_guesses_from_one_address_are_counted(guest, payment, stopped):
    answers = [
        guest.get(f"{PAYMENTS}/{new_reference('PAY')}", REMOTE_ADDR="203.0.113.9").status_code
        for _ in range(700)
    ]

    assert (answers.count(404), answers.count(429)) == (600, 100)
