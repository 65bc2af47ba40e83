"""Money that came twice, late or in strange coins, and money that goes back."""

from functools import partial

import pytest

from tests.races.conftest import race
from tests.reliability.matrix import cases
from tests.reliability.truth import assert_in_order
from tests.reliability.world import DAY_S, status_of
from tillgate.gateways.registry import GATEWAYS
from tillgate.payments.models import Payment, Refund, Surplus

PARTS = 10
MANY = 24


def surplus_refund(world, payment):
    [surplus] = payment.surpluses.all()
    return world.post(
        f"/payments/{payment.reference}/surplus/{surplus.reference}/refund", {}, **{"Idempotency-Key": "s"}
    )


@cases("G-24", only=("paystack", "flutterwave"))  # An order of PayPal's can be captured once.
def test_a_page_that_was_paid_twice_leaves_a_surplus_that_one_call_sends_back(world):
    attempt = world.session()
    world.pay(attempt, "twice")
    world.wait(20)
    world.ring_all()
    world.work()
    payment = attempt.payment

    assert status_of(payment) == "completed"
    assert (world.charges(), payment.surplus_minor) == (2, 5_000)
    assert surplus_refund(world, payment).status_code == 201
    assert_in_order(world)
    assert (status_of(payment), Refund.objects.get().status) == ("completed", "succeeded")


@cases("G-24")
def test_two_gateways_that_were_both_paid_settle_once(world):
    other = next(name for name in GATEWAYS if name != world.gateway)
    payment = world.order(currency="USD")
    tabs = [world.session(payment), world.session(payment, other)]

    for attempt in tabs:
        world.pay(attempt)
    world.ring_all()
    world.wait(20)

    assert status_of(payment) == "completed"
    assert_in_order(world)
    assert payment.attempts.filter(settles=True).count() == 1
    assert Surplus.objects.count() == world.charges() - 1


@cases("G-25")
@pytest.mark.parametrize("rung", [True, False], ids=["rung", "unheard"])
def test_money_that_comes_after_the_time_is_up_is_not_lost(world, rung):
    attempt = world.session(world.order(expires_in=300))
    world.wait(400)
    assert status_of(attempt.payment) == "expired"

    world.pay(attempt)
    if rung:
        world.ring_all()
    world.wait(3_600)

    assert_in_order(world)
    if world.way.captures:
        assert (status_of(attempt.payment), world.charges()) == ("expired", 0)  # It was only agreed to.
    else:
        assert (status_of(attempt.payment), attempt.payment.late) == ("completed", True)


@cases("G-25")
def test_money_that_comes_after_a_cancel_goes_back_by_a_persons_word(world):
    attempt = world.session()
    path = f"/payments/{attempt.payment.reference}"
    assert world.post(f"{path}/cancel", {}).status_code == 200

    world.pay(attempt)
    world.wait(20)
    if world.way.captures:
        assert (status_of(attempt.payment), world.charges()) == ("canceled", 0)
    else:
        assert status_of(attempt.payment) == "review"
        assert world.post(f"{path}/resolve", {"decision": "refund"}).status_code == 200

    assert_in_order(world)
    assert status_of(attempt.payment) == ("canceled" if world.way.captures else "refunded")


@cases("G-26")
@pytest.mark.parametrize("fault", ["timeout_after", "500_after", "half_body", "html", "reset_before"])
def test_a_refund_with_a_lost_answer_is_made_at_most_once(world, fault):
    payment = world.bought()
    world.fault("*", "ignore_key", times=0)
    world.fault(world.way.refund, fault)

    assert world.refund(payment, "20.00").status_code == 201
    for _ in range(4):
        world.wait(20)

    assert_in_order(world)
    made = sum(move["kind"] == "refund" for move in world.journal())
    assert made <= 1
    assert (status_of(Refund.objects.get()) == "succeeded") == (made == 1)
    assert status_of(payment) == ("partially_refunded" if made else "completed")


@cases("G-27")
def test_a_refund_that_fails_after_three_days_leaves_the_money_ours(world):
    payment = world.bought()
    world.fault(world.way.refund, "pending", after_s=30 * DAY_S)
    assert world.refund(payment).status_code == 201
    world.wait(3 * DAY_S)
    refund = Refund.objects.get()
    assert (refund.status, status_of(payment)) == ("pending", "completed")

    theirs = str(refund.gateway_id)
    world.refund_at_gateway(
        payment.attempts.get(), refund_id=int(theirs) if theirs.isdigit() else theirs, outcome="failed"
    )
    world.ring_all()
    world.wait(DAY_S + 60)

    assert_in_order(world)
    assert (status_of(refund), status_of(payment), payment.refunded_minor) == ("failed", "completed", 0)
    assert world.refund(payment, key="again").status_code == 201


@cases("G-28")
def test_of_ten_fifths_five_go_back(world):
    payment = world.bought()

    answers = [world.refund(payment, "10.00", key=f"part-{part}").status_code for part in range(PARTS)]

    assert sorted(answers) == [201] * 5 + [409] * 5
    assert_in_order(world)
    assert status_of(payment) == "refunded"
    assert Refund.objects.filter(status="succeeded").count() == 5


@cases("G-28")
@pytest.mark.django_db(transaction=True)
def test_of_ten_fifths_wanted_at_the_same_moment_five_go_back(transactional_db, world, doors):
    payment = world.bought()
    shops = enumerate(doors(PARTS))

    answers = race(*(partial(shop.refund, payment, "10.00", key=f"part-{part}") for part, shop in shops))

    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [409] * 5
    assert_in_order(world)
    assert status_of(payment) == "refunded"


@cases("G-29")
def test_refunds_made_at_the_gateway_are_booked_once_however_often_they_are_listed(world):
    payment = world.bought()
    attempt = payment.attempts.get()

    for part in range(4):
        world.refund_at_gateway(attempt, amount_minor=1_000, outcome="success")
        for event in world.events()[part % 2 :]:
            world.ring(event)
        world.wait(DAY_S)
    world.wait(8 * DAY_S)

    assert_in_order(world)
    assert (status_of(payment), payment.refunded_minor) == ("partially_refunded", 4_000)
    assert Refund.objects.filter(origin="gateway", status="succeeded").count() == 4


@cases("G-29")
def test_a_list_of_refunds_that_is_longer_than_a_page_is_read_to_its_end(world):
    payment = world.bought()
    attempt = payment.attempts.get()
    for _ in range(MANY):
        world.refund_at_gateway(attempt, amount_minor=100, outcome="success")

    world.wait(DAY_S + 60)

    assert_in_order(world)
    assert payment.refunds.filter(status="succeeded").count() == MANY
    assert (status_of(payment), payment.refunded_minor) == ("partially_refunded", 100 * MANY)


@cases("G-30")
def test_a_currency_without_decimals_is_paid_and_refunded_to_the_unit(world):
    payment = world.bought(amount="1500", currency=world.way.without_decimals)

    assert world.refund(payment, "500").status_code == 201

    assert_in_order(world)
    assert [move["amount_minor"] for move in world.journal()] == [
        Payment.objects.get().received_minor,
        payment.attempts.get().received_minor // 3,
    ]
    assert (status_of(payment), payment.amount_minor) == ("partially_refunded", payment.received_minor)


@cases("G-30")
@pytest.mark.parametrize("currency", ["KWD", "XXX", "ngn"])
def test_a_currency_that_no_gateway_takes_is_refused_before_any_call(world, currency):
    world.fault("*", "500_before", times=0)
    body = {
        "customer_name": "Ada",
        "customer_email": "ada@example.com",
        "amount": "5.000",
        "currency": currency,
    }

    answer = world.post("/payments", {**body, "gateway": world.gateway})

    assert answer.status_code in (400, 409)
    assert world.calls() == 0
    assert not Payment.objects.exists()
