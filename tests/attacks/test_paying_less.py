"""Customers who want to pay less, or nothing: with another's payment, another amount, or old news."""

import json

import pytest
from django.test import Client

from tests.attacks.conftest import at
from tests.environment import FLUTTERWAVE_TEST_HASH
from tests.reliability.signing import changed, signed
from tests.reliability.truth import assert_in_order
from tests.reliability.world import status_of
from tillgate.checkout import waiting
from tillgate.events.models import Event
from tillgate.ledger.models import Entry
from tillgate.payments.models import Payment

NAMES = {"paystack": "reference", "flutterwave": "tx_ref", "paypal": "custom_id"}
DEAR, CHEAP = "5000.00", "1.00"


def retold(event, keys, **members):
    """The event as its gateway would sign it with other members in what it tells of."""
    told = json.loads(event["body"])
    told["resource" if event["gateway"] == "paypal" else "data"].update(members)
    return signed(event, json.dumps(told), keys)


def paid(world, amount=CHEAP):
    """An attempt that its customer has paid, and the event that says so."""
    attempt = world.session(world.order(amount=amount))
    world.pay(attempt)
    if world.way.captures:
        world.wait(20)
    mine = [event for event in world.events() if event["reference"] == attempt.gateway_reference]
    return attempt, mine[-1]


def rows_of_money():
    return Entry.objects.count(), Event.objects.count()


@at()
def test_a01_a_small_payment_that_names_anothers_in_its_metadata_pays_nothing_of_it(world, keys):
    victim = world.session(world.order(amount=DEAR, merchant_reference="order-1"))
    cheap, event = paid(world)
    names = {"reference": victim.gateway_reference, "payment": victim.payment.reference, "order": "order-1"}

    lie = retold(event, keys, metadata=names, meta=names, custom_fields=[names], invoice_id=names["payment"])

    assert world.ring(lie) == 200
    world.work()
    assert (status_of(victim.payment), victim.payment.received_minor) == ("pending", 0)
    assert (status_of(cheap.payment), cheap.payment.received_minor) == ("completed", 100)
    assert_in_order(world)


@at()
def test_a01_a_small_payment_under_anothers_reference_is_not_believed(world, keys):
    victim = world.session(world.order(amount=DEAR))
    cheap, event = paid(world)

    lie = retold(event, keys, **{NAMES[world.gateway]: victim.gateway_reference})

    assert world.ring(lie) == 200
    world.work()
    assert (status_of(victim.payment), victim.payment.received_minor) == ("pending", 0)
    assert_in_order(world)
    assert (status_of(victim.payment), status_of(cheap.payment)) == ("expired", "completed")


@at("paystack", "flutterwave")
def test_a01_a_real_but_smaller_sum_under_the_right_reference_waits_for_a_person(world):
    attempt = world.session(world.order(amount=DEAR))

    world.pay(attempt, "other_amount", amount_minor=100)
    world.wait(20)

    assert (status_of(attempt.payment), attempt.payment.review_reason) == ("review", "wrong_amount")
    assert_in_order(world)


@at()
def test_a02_no_amount_of_the_browser_reaches_the_gateway(world, monkeypatch):
    monkeypatch.setattr(waiting, "WAIT_S", 0.0)
    payment = world.order(amount=DEAR)
    less = {"amount": "0.01", "amount_minor": "1", "currency": "XOF", "quantity": "0", "discount": "100"}
    page = f"/pay/{payment.checkout_token}"

    opened = Client().post(f"{page}?amount=0.01&currency=XOF", {"gateway": world.gateway, **less})
    attempt = payment.attempts.get()
    world.pay(attempt)
    Client().get(f"{page}/return", {**less, "status": "successful", "reference": attempt.gateway_reference})
    world.wait(20)

    assert opened.status_code == 303
    [move] = world.journal()
    assert (move["amount_minor"], move["currency"]) == (500_000, world.way.currency)
    assert (status_of(payment), payment.received_minor) == ("completed", 500_000)
    assert_in_order(world)


@at("paystack")
@pytest.mark.parametrize("members", [{"amount": 1}, {"currency": "XOF"}, {"customer_email": "e@e.example"}])
def test_a02_an_attempt_takes_no_amount(world, members):
    payment = world.order()

    answer = world.post(f"/payments/{payment.reference}/attempts", {"gateway": "paystack", **members})

    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_member")
    assert not payment.attempts.exists()


@at("paystack")
def test_a03_what_a_session_was_opened_for_never_changes(world, owner):
    payment = world.order(merchant_reference="order-1")
    attempt = world.session(payment)
    before = Payment.objects.values("amount_minor", "currency", "customer_email", "return_url").get()
    path, less = f"/api/v1/payments/{payment.reference}", {"amount": 1, "currency": "XOF"}

    tries = [
        getattr(owner, verb)(path, less, content_type="application/json").status_code
        for verb in ("put", "patch", "post", "delete")
    ]
    again = owner.create(amount=1, merchant_reference="order-1")

    assert tries == [405] * 4
    assert (again.status_code, again.json()["code"]) == (409, "merchant_reference_taken")
    assert Payment.objects.values(*before).get() == before
    world.pay(attempt)
    world.wait(20)
    assert (status_of(payment), payment.received_minor) == ("completed", before["amount_minor"])


@at("paystack")
def test_a03_a_change_of_a_subscription_leaves_the_open_payment_as_it_was_agreed(world):
    payment = world.order(recurring={"interval": "monthly"})
    attempt = world.agree(payment)

    world.patch(f"/subscriptions/{payment.subscription_reference}", {"amount": 1})
    world.pay(attempt)
    world.wait(20)

    assert [move["amount_minor"] for move in world.journal()] == [5_000]
    assert (status_of(payment), payment.amount_minor) == ("completed", 5_000)


@at()
def test_a09_old_news_after_a_refund_changes_nothing(world, keys):
    attempt, event = paid(world)
    assert world.ring(event) == 200
    world.work()
    assert world.refund(attempt.payment).status_code == 201
    world.heal()
    assert status_of(attempt.payment) == "refunded"
    before = rows_of_money()

    again = [world.ring(event), world.ring(retold(event, keys, padding="the same news in other bytes"))]
    world.work()

    assert again == [200, 200]
    assert (status_of(attempt.payment), rows_of_money()) == ("refunded", before)
    assert_in_order(world)
    assert status_of(attempt.payment) == "refunded"


@at("flutterwave")
def test_a10_whoever_has_the_static_hash_can_ring_and_be_paid_nothing(world):
    attempt = world.session(world.order(amount=DEAR))
    hash_alone = {"verif-hash": FLUTTERWAVE_TEST_HASH}

    for number in range(5):
        data = {"id": 900_000 + number, "tx_ref": attempt.gateway_reference, "status": "successful"}
        lie = {"event": "charge.completed", "data": {**data, "amount": 5000, "currency": "NGN"}}
        event = {"id": -number, "gateway": "flutterwave", "body": json.dumps(lie), "headers": hash_alone}
        assert world.ring(event) == 200
    world.work()

    assert (status_of(attempt.payment), world.charges()) == ("pending", 0)
    assert_in_order(world)
    assert status_of(attempt.payment) != "completed"


@at()
def test_a10_the_same_news_under_new_ids_is_paid_once(world, keys):
    attempt, event = paid(world)

    for number in range(5):
        assert world.ring(retold(event, keys, padding=number)) == 200
        assert world.ring(changed(event, keys, padding=number, created_at=f"2026-01-0{number + 1}")) == 200
    world.work()

    assert (status_of(attempt.payment), attempt.payment.received_minor) == ("completed", 100)
    assert Event.objects.filter(type="payment.completed").count() == 1
    assert_in_order(world)
