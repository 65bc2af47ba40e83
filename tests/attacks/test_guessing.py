"""A-18, A-20, A-26: whoever guesses an id finds nothing, and nobody is shown another's page."""

import math
import random
import re
import secrets
from itertools import pairwise

import pytest
from django.test import Client

from tests.api.client import PAYMENTS
from tests.builders import make_payment, make_refund, make_settled, make_subscription
from tillgate.common.references import ALPHABET, LENGTH, new_token
from tillgate.merchants.models import ApiKey
from tillgate.payments.models import Payment

GUESSES = 100_000
ONE_HOUSE_OF_SHOPS = 10**9  # Payments of an installation that is larger than any.
LEAST_BITS = 128


def test_a20_a_hundred_thousand_guesses_find_none_of_a_thousand_tokens():
    issued = {new_token() for _ in range(1_000)}
    chance = random.Random(1)  # The attacker knows the alphabet and the length.

    hits = sum("".join(chance.choices(ALPHABET, k=LENGTH)) in issued for _ in range(GUESSES))

    bits = LENGTH * math.log2(len(ALPHABET))
    assert (hits, bits >= LEAST_BITS) == (0, True)
    # Whoever guesses a hundred thousand ids a second for a century, among as many payments as that:
    assert GUESSES * 3.2e9 * ONE_HOUSE_OF_SHOPS / 2**bits < 1e-15


def test_a20_no_token_tells_of_the_next_or_of_its_time():
    tokens = [new_token() for _ in range(5_000)]
    places = [[ALPHABET.index(letter) for letter in token] for token in tokens]

    rises = sum(first < second for first, second in pairwise(tokens))
    kept = [sum(first[i] == second[i] for first, second in pairwise(places)) for i in range(LENGTH)]

    assert 0.46 < rises / len(tokens) < 0.54  # Ids that grow, such as UUIDv1 and numbers, always rise.
    assert max(kept) < 2.2 * len(tokens) / len(ALPHABET)  # No letter stands still from one to the next.


def test_a20_tokens_are_drawn_from_the_systems_own_randomness(monkeypatch):
    drawn = []

    def nothing_but_zeros(bits):
        drawn.append(bits)
        return 0

    monkeypatch.setattr(secrets, "randbits", nothing_but_zeros)

    assert (new_token(), drawn) == ("0" * LENGTH, [5 * LENGTH])


def test_a20_what_is_shown_is_known_by_such_ids_alone(owner, merchant, gateway):
    attempt = make_settled(make_payment(merchant))
    refund = make_refund(attempt.payment, attempt)
    subscription = make_subscription(merchant)
    addresses = [
        f"{PAYMENTS}/{refund.payment.reference}",
        f"/api/v1/refunds/{refund.reference}",
        f"/api/v1/subscriptions/{subscription.reference}",
        "/api/v1/payment-methods",
    ]

    said = " ".join(owner.get(address).content.decode() for address in addresses)

    ids = re.findall(r'"id":("[^"]*"|[^,}]*)', said)
    assert len(ids) >= 4
    assert all(re.fullmatch(rf'"[A-Z]+-[{ALPHABET}]{{{LENGTH}}}"', one) for one in ids), ids
    tokens = re.findall(r"/(?:pay|subscription)/(\w+)", said)
    assert len(set(tokens)) >= 2
    assert not any(token in said.replace(f"/{token}", "") for token in tokens)  # It is no id's own letters.


def test_a20_an_id_that_is_anothers_is_told_as_one_that_never_was(guest, stranger, live_owner, merchant):
    payment, nobody = make_payment(merchant), "PAY-" + new_token()
    for caller in (stranger, live_owner):
        told = [caller.get(f"{PAYMENTS}/{name}") for name in (payment.reference, nobody)]
        assert [answer.status_code for answer in told] == [404, 404]
        plain = [
            answer.content.replace(name.encode(), b"").replace(answer["X-Request-ID"].encode(), b"")
            for answer, name in zip(told, (payment.reference, nobody), strict=True)
        ]
        assert plain[0] == plain[1]
    assert guest.get(f"{PAYMENTS}/{nobody}").status_code == 404


def test_a20_whoever_holds_the_id_sees_of_the_payer_what_the_contract_names(guest, merchant):
    payment = make_payment(merchant, metadata={"phone": "08031234567"}, merchant_reference="order-1")

    told = guest.get(f"{PAYMENTS}/{payment.reference}").content.decode()

    assert "john@example.com" in told
    for hidden in ("08031234567", "order-1", "metadata", "amount_received", "fee"):
        assert hidden not in told


@pytest.mark.parametrize(
    "header", ["X-Forwarded-Host", "X-Host", "X-Original-URL", "X-Rewrite-URL", "Forwarded"]
)
def test_a26_no_header_of_a_visitor_gets_into_a_page(merchant, header):
    payment, subscription = make_payment(merchant), make_subscription(merchant)

    for path in (
        f"/pay/{payment.checkout_token}",
        f"/pay/{payment.checkout_token}/return",
        f"/subscription/{subscription.manage_token}",
        f"/subscription/{subscription.manage_token}/stop",
        f"{PAYMENTS}/{payment.reference}",
        "/pay/nobody",
    ):
        answer = Client().get(path, headers={header: "evil.example/x", "User-Agent": "evil.example"})
        assert "evil.example" not in answer.content.decode() + str(answer.headers), path


def test_a26_no_cache_may_keep_a_page_and_a_polled_answer_is_asked_for_again(guest, owner, merchant):
    payment, subscription = make_payment(merchant), make_subscription(merchant)
    pages = (f"/pay/{payment.checkout_token}", f"/subscription/{subscription.manage_token}", "/pay/nobody")

    kept = {
        guest.get(path + below)["Cache-Control"] for path in pages for below in ("", "/return", "/status")
    }
    polled = {caller.get(f"{PAYMENTS}/{payment.reference}")["Cache-Control"] for caller in (guest, owner)}

    assert kept == {"no-store"}
    assert polled == {"private, no-cache"}
    assert owner.get(PAYMENTS)["Cache-Control"] == "no-store"


def test_a26_customers_who_come_in_turns_are_each_shown_their_own(
    guest, owner, stranger, merchant, other_merchant
):
    names = [f"Customer {letter}" for letter in "ABCDEFGH"]
    mine = [make_payment(merchant, customer_name=name) for name in names]
    theirs = make_payment(other_merchant, customer_name="Somebody else")

    for _ in range(3):
        for payment in mine:
            page = guest.get(f"/pay/{payment.checkout_token}").content.decode()
            told = owner.get(f"{PAYMENTS}/{payment.reference}").json()["payment"]
            public = guest.get(f"{PAYMENTS}/{payment.reference}").json()["payment"]
            assert stranger.get(f"{PAYMENTS}/{payment.reference}").status_code == 404
            assert [name for name in names if name in page] == [payment.customer_name]
            assert told["customer_name"] == public["customer_name"] == payment.customer_name
            assert ("metadata" in told, "metadata" in public) == (True, False)
        listed = [one["customer_name"] for one in stranger.get(PAYMENTS).json()["payments"]]
        assert listed == [theirs.customer_name]


def test_a18_a_guest_moves_nothing_of_anybodys(guest, merchant, gateway):
    attempt = make_settled(make_payment(merchant))
    paid, review = attempt.payment, make_payment(merchant, status="review", received_minor=1)
    before = list(Payment.objects.order_by("pk").values())

    for payment in (paid, review, make_payment(merchant)):
        for below in ("cancel", "resolve", "refunds", "surplus/SUR-1/refund", "disputes/DIS-1/evidence"):
            answer = guest.post(
                f"{PAYMENTS}/{payment.reference}/{below}", {}, headers={"Idempotency-Key": "k"}
            )
            assert answer.status_code == 401, below

    assert list(Payment.objects.filter(pk__in=[paid.pk, review.pk]).order_by("pk").values()) == before
    assert not ApiKey.objects.exists()
