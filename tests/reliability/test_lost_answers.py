"""Answers that come late, broken or not at all: what was done is found out, and never done again."""

from datetime import timedelta

import pytest

from tests.reliability.matrix import cases
from tests.reliability.truth import assert_in_order
from tests.reliability.world import DAY_S, status_of
from tillgate.common import clock
from tillgate.common.jobs.models import Job
from tillgate.payments.models import Attempt

ODD_BODIES = ("html", "empty_body", "bom", "wrong_content_type", "huge_body", "gzip_bomb")
SIZES = {"huge_body": {"bytes": 3_000_000}, "gzip_bomb": {"bytes": 20_000_000}}
CUTS = (0, 1, 17, 80, 200, 350)


def assert_completed_once(world, *payments):
    assert_in_order(world)
    assert [status_of(payment) for payment in payments] == ["completed"] * len(payments)
    assert world.charges() == len(payments)


@cases("G-01")
def test_money_taken_behind_an_answer_that_came_too_late_is_found(world):
    attempt = world.session()
    world.pay(attempt)
    world.fault(world.way.take, "timeout_after")

    world.wait(20)

    assert status_of(attempt.payment) in ("pending", "processing")
    assert_completed_once(world, attempt.payment)


@cases("G-01")
def test_a_page_whose_opening_was_lost_leaves_room_for_another(world):
    payment = world.order()
    world.fault(world.way.start, "timeout_after")

    assert world.open(payment).status_code == 504
    world.advance(40)
    world.pay(world.session(payment))

    assert_completed_once(world, payment)
    assert payment.attempts.filter(settles=True).count() == 1


@cases("G-02")
@pytest.mark.parametrize("fault", ["reset_before", "timeout_before"])
def test_what_never_reached_the_gateway_is_tried_again(world, fault):
    payment = world.order()
    world.fault(world.way.start, fault)
    world.pay(world.session(payment))
    world.fault(world.way.take, fault)

    world.wait(20)

    assert status_of(payment) in ("pending", "processing")
    assert_completed_once(world, payment)


@cases("G-03")
def test_an_answer_cut_off_anywhere_is_no_answer(world):
    payments = []
    for cut in CUTS:
        payment = world.order()
        world.fault(world.way.start, "half_body", n=cut)
        world.pay(world.session(payment))
        world.fault(world.way.take, "half_body", n=cut)
        world.wait(20)
        payments.append(payment)

    assert_completed_once(world, *payments)


@cases("G-04")
def test_an_error_after_the_deed_is_not_a_reason_to_do_it_again(world):
    payment = world.order()
    world.fault(world.way.start, "500_after")
    world.pay(world.session(payment))
    world.fault(world.way.take, "500_after", times=2)

    world.wait(20)

    assert status_of(payment) != "completed"
    assert_completed_once(world, payment)


@cases("G-05")
def test_a_gateway_that_fails_again_and_again_is_asked_ever_less_often(world):
    attempt = world.session()
    world.pay(attempt)
    world.fault(world.way.take, "500_before", times=3)
    gaps = []

    for _ in range(4):
        attempt.refresh_from_db()
        wait = Job.objects.get(unique_key=attempt.question_key).run_at - clock.now()
        gaps.append(round(wait.total_seconds()))
        assert status_of(attempt.payment) != "completed"
        world.wait(gaps[-1] + 1)

    assert gaps == sorted(gaps)
    assert gaps[-1] >= 2 * gaps[0]
    assert status_of(attempt.payment) == "completed"
    assert_completed_once(world, attempt.payment)


@cases("G-06")
def test_a_gateway_that_asks_for_a_pause_gets_it(world):
    attempt = world.session()
    world.pay(attempt)
    world.fault(world.way.take, "429", retry_after=100)

    world.wait(20)
    for _ in range(4):
        world.wait(20)
    assert world.calls(world.way.take) == 1
    world.wait(30)

    assert status_of(attempt.payment) == "completed"
    assert_completed_once(world, attempt.payment)


@cases("G-08")
@pytest.mark.parametrize("fault", ODD_BODIES)
def test_an_oddly_dressed_answer_is_read_rightly_or_asked_for_again(world, fault):
    payment = world.order()
    world.fault(world.way.start, fault, **SIZES.get(fault, {}))
    world.fault(world.way.take, fault, **SIZES.get(fault, {}))

    world.pay(world.session(payment))
    world.wait(20)

    assert_completed_once(world, payment)


@cases("G-14")
def test_a_payment_that_the_gateway_is_slow_to_know_is_waited_for(world):
    payment = world.order()
    world.fault(world.way.start, "lookup_lag", seconds=120)
    attempt = world.session(payment)
    world.pay(attempt)

    for _ in range(4):
        world.wait(20)
        world.ring_all()
        world.work()
        assert status_of(payment) == "pending"
    assert world.session(payment) == attempt

    assert_completed_once(world, payment)


@cases("G-14", only=("paypal",))  # The others list a refund as soon as there is one.
def test_a_refund_that_is_slow_to_be_listed_is_made_once(world):
    payment = world.bought()
    world.fault(world.way.refund, "lookup_lag", seconds=600)
    world.fault(world.way.refund, "500_after")
    assert world.refund(payment, "20.00").status_code == 201

    for _ in range(30):
        world.wait(20)

    assert_in_order(world)
    assert [move["kind"] for move in world.journal()] == ["charge", "refund"]
    assert status_of(payment) == "partially_refunded"


@cases("G-15")
def test_a_gateway_that_forgets_our_keys_is_never_asked_twice_for_the_same_deed(world):
    payment = world.order()
    for operation in (world.way.start, world.way.take):
        world.fault("*", "ignore_key", times=0)
        world.fault(operation, "500_after")

    world.pay(world.session(payment))
    world.wait(20)

    assert_completed_once(world, payment)


@cases("G-16")
def test_a_reference_refused_as_used_may_have_been_taken(world):
    payment = world.order()
    world.fault(world.way.start, "dup_ref_error")

    assert world.open(payment).status_code == 504
    world.wait(40)
    world.pay(world.session(payment))

    assert_completed_once(world, payment)
    assert payment.attempts.count() == 2


@cases("G-17")
def test_a_refund_lost_for_longer_than_keys_live_is_looked_for_first(world):
    payment = world.bought()
    world.fault(world.way.refund, "500_after")
    world.fault(world.way.list, "500_before", nth=2, times=0)
    assert world.refund(payment).status_code == 201

    for _ in range(5):
        world.wait(DAY_S // 4)

    assert status_of(payment.refunds.get()) == "unknown"
    assert_in_order(world)
    assert status_of(payment.refunds.get()) == "succeeded"


@cases("G-20")
def test_a_gateway_without_a_certificate_hears_nothing(world, settings):
    payment = world.order()
    name = f"{world.gateway.upper()}_BASE_URL"
    true_url = getattr(settings, name)
    setattr(settings, name, true_url.replace("http://", "https://"))

    answer = world.open(payment)

    assert (answer.status_code, payment.attempts.get().status) in ((502, "failed"), (503, "failed"))
    setattr(settings, name, true_url)
    world.pay(world.session(payment))
    assert_completed_once(world, payment)


@cases("G-21")
def test_a_gateway_that_hangs_holds_up_nobody_at_our_doors(world):
    world.bought()
    world.ring_all()
    attempt = world.session()
    world.pay(attempt)
    world.fault("*", "timeout_before", times=0)

    answers = [world.get(f"/payments/{attempt.payment.reference}").status_code for _ in range(3)]
    rung = [world.ring(event) for event in world.events()]

    assert set(answers + rung) == {200}
    assert world.order().status == "pending"
    assert world.calls() == 0
    world.wait(20)
    assert status_of(attempt.payment) == "pending"
    assert_in_order(world)
    assert (status_of(attempt.payment), world.charges()) == ("completed", 2)


@cases("G-22")
def test_after_an_hour_without_the_gateway_nothing_is_lost_and_nobody_storms_it(world):
    attempts = [world.session() for _ in range(3)]
    for attempt in attempts:
        world.pay(attempt)
    world.fault("*", "reset_before", times=0)

    for _ in range(6):
        answer = world.open(world.order())
        assert answer.status_code in (502, 503, 504)
        assert int(answer.headers["Retry-After"]) > 0
        world.wait(600)

    asked = sum(Attempt.objects.get(pk=attempt.pk).questions for attempt in attempts)
    assert asked <= 10 * len(attempts)
    assert_completed_once(world, *(attempt.payment for attempt in attempts))
    assert sum(Attempt.objects.get(pk=attempt.pk).questions for attempt in attempts) <= asked + 2 * len(
        attempts
    )
    assert attempts[0].created_at < clock.now() - timedelta(hours=1)


@cases("G-19")
@pytest.mark.parametrize("operation", ["order", "get", "capture", "refund"])
def test_a_token_that_has_expired_is_renewed_once(world, operation):
    world.bought()
    world.count("token")
    world.fault(operation, "token_expired")

    payment = world.bought()
    assert world.refund(payment, "20.00").status_code == 201
    world.work()

    assert world.calls("token") == 1
    assert_in_order(world)
    assert status_of(payment) == "partially_refunded"


@cases("G-19")
def test_money_that_waits_for_a_token_is_taken_once_there_is_one(world):
    payment = world.order()
    world.pay(world.session(payment))
    world.fault(world.way.take, "token_expired")
    world.fault("token", "500_before", times=0)

    world.wait(20)
    world.wait(40)

    assert (status_of(payment), world.charges()) == ("processing", 0)
    assert_completed_once(world, payment)
