"""When the next question is asked: the ladder, and what brings its next rung forward."""

from datetime import timedelta

import pytest

from tests.builders import make_attempt, make_payment, make_payment_in, make_snapshot
from tillgate.common import clock
from tillgate.common.jobs import run_due_jobs
from tillgate.common.jobs.models import Job
from tillgate.gateways.errors import Unreachable
from tillgate.gateways.protocol import Failure, GatewayState
from tillgate.payments.jobs import ask_gateway
from tillgate.payments.services.sync import (
    LADDER_S,
    WAIT_AFTER_EXPIRY,
    ask,
    make_question_due,
    next_question,
)
from tillgate.payments.states import AttemptStatus

DECLINED = Failure(code="declined", message="Declined.", retryable=True)


def put_on_ladder(attempt, *, in_s=LADDER_S[0]):
    due = clock.now() + timedelta(seconds=in_s)
    ask_gateway.using(run_after=due, unique_key=attempt.question_key).enqueue(attempt.pk, attempt.questions)


@pytest.fixture
def waiting(merchant, gateway):
    """A payment last asked about a minute ago, whose next question is due in an hour."""
    payment = make_payment(merchant, asked_at=clock.now() - timedelta(minutes=1))
    attempt = make_attempt(payment)
    gateway.says("fetch_payment", make_snapshot(attempt, GatewayState.PENDING))
    put_on_ladder(attempt, in_s=3600)
    return payment


def test_w11_the_ladder_alone_settles_a_payment(attempt, gateway):
    pending, paid = make_snapshot(attempt, GatewayState.PENDING), make_snapshot(attempt)
    gateway.says("fetch_payment", pending, Unreachable("no line"), pending, paid)
    put_on_ladder(attempt)

    for seconds in (15, 15, 30, 60):
        assert run_due_jobs() == 0
        clock.advance(seconds)
        assert run_due_jobs() == 1

    attempt.payment.refresh_from_db()
    assert attempt.payment.status == "completed"
    assert not Job.objects.filter(task__endswith="ask_gateway").exists()


def wait_at(age_s, **more):
    return round(
        (next_question(clock.now() - timedelta(seconds=age_s), **more) - clock.now()).total_seconds()
    )


@pytest.mark.django_db
def test_the_rungs_grow_with_age_to_a_day_and_never_end():
    ages = (0, 14, 15, 30.5, 100, 3_000, 90_000, 10_000_000)

    assert [wait_at(age) for age in ages] == [15, 15, 15, 30, 120, 3_600, 86_400, 86_400]


@pytest.mark.django_db
def test_g06_a_gateway_that_asks_for_time_gets_it():
    assert wait_at(0, at_least_s=600) == 600


def test_polling_a_young_payment_does_not_push_its_next_question_away(attempt, gateway):
    gateway.says("fetch_payment", make_snapshot(attempt, GatewayState.PENDING))

    for _ in range(50):
        ask(attempt.pk)

    job = Job.objects.get(unique_key=f"ask-{attempt.pk}-50")
    assert (job.run_at - clock.now()).total_seconds() <= LADDER_S[0]


def test_a_payment_is_looked_at_once_more_before_it_expires(merchant, gateway):
    began = clock.now() - timedelta(hours=20)
    payment = make_payment(merchant, created_at=began, expires_at=clock.now() + timedelta(hours=1))
    attempt = make_attempt(payment, created_at=began)
    gateway.says("fetch_payment", make_snapshot(attempt, GatewayState.PENDING))

    ask(attempt.pk)

    job = Job.objects.get(unique_key=f"ask-{attempt.pk}-1")
    assert job.run_at == payment.expires_at - timedelta(minutes=1)


def test_a_stale_rung_asks_nothing(attempt, gateway):
    gateway.says("fetch_payment", make_snapshot(attempt, GatewayState.PENDING))
    put_on_ladder(attempt, in_s=0)
    ask(attempt.pk)

    run_due_jobs()

    attempt.refresh_from_db()
    assert (gateway.called("fetch_payment"), attempt.questions) == (1, 1)


def test_a_rung_that_runs_twice_asks_once(attempt, gateway):
    gateway.says("fetch_payment", make_snapshot(attempt, GatewayState.PENDING))

    for _ in range(2):
        ask_gateway.call(attempt.pk, 0)

    assert gateway.called("fetch_payment") == 1
    assert Job.objects.count() == 1


def test_an_answer_and_its_next_question_are_stored_together(attempt, gateway):
    gateway.says("fetch_payment", make_snapshot(attempt, GatewayState.PENDING))
    before = clock.now()

    ask(attempt.pk)

    attempt.payment.refresh_from_db()
    assert attempt.payment.asked_at >= before
    assert list(Job.objects.values_list("args", flat=True)) == [[attempt.pk, 1]]


@pytest.mark.parametrize(
    "case",
    [
        ("created", "", True, False),  # It fails, so there is nothing left to ask.
        ("unknown", "", False, True),
        ("pending", "https://page", False, True),
        ("superseded", "https://page", False, True),
        ("superseded", "https://page", True, False),
        ("failed", "https://page", False, True),  # The page that declined one card takes the next.
        ("failed", "https://page", True, False),
        ("failed", "", False, False),  # Nobody ever had that page.
    ],
)
def test_an_attempt_is_asked_again_while_money_may_come_by_it(payment, gateway, case):
    status, page, over, asked = case
    if over:
        clock.advance(round((timedelta(days=1, minutes=1) + WAIT_AFTER_EXPIRY).total_seconds()))
    attempt = make_attempt(payment, status=status, redirect_url=page)
    gateway.says("fetch_payment", make_snapshot(attempt, GatewayState.ABSENT))

    ask(attempt.pk)

    assert Job.objects.exists() == asked


@pytest.mark.parametrize("status", ["superseded", "failed"])
def test_what_is_processing_is_asked_until_it_is_final(merchant, gateway, status):
    long_over = clock.now() - WAIT_AFTER_EXPIRY - timedelta(days=30)
    payment = make_payment(merchant, status="processing", expires_at=long_over)
    attempt = make_attempt(payment, status=status)
    gateway.says("fetch_payment", make_snapshot(attempt, GatewayState.PROCESSING))

    ask(attempt.pk)

    assert Job.objects.exists()


def test_a_paid_attempt_is_not_asked_again(attempt, gateway):
    gateway.says("fetch_payment", make_snapshot(attempt))

    ask(attempt.pk)

    assert not Job.objects.filter(task__endswith="ask_gateway").exists()


def test_a_card_that_works_after_a_declined_one_on_the_same_page_is_found(attempt, gateway):
    declined = make_snapshot(attempt, GatewayState.FAILED, failure=DECLINED)
    gateway.says("fetch_payment", declined, make_snapshot(attempt))
    ask(attempt.pk)

    clock.advance(LADDER_S[1])
    run_due_jobs()

    attempt.payment.refresh_from_db()
    assert attempt.payment.status == "completed"


def test_news_wanted_now_makes_the_question_due(waiting, gateway):
    assert make_question_due(waiting)
    assert gateway.calls == []

    run_due_jobs()

    assert gateway.called("fetch_payment") == 1


def test_the_question_is_two_statements(waiting, statements):
    with statements() as told:
        make_question_due(waiting)

    assert [sql.split()[0] for sql in told] == ["SELECT", "UPDATE"]


def test_every_attempt_that_may_bring_money_is_asked(waiting, gateway):
    left = make_attempt(waiting, status="superseded")
    put_on_ladder(left, in_s=3600)

    make_question_due(waiting)
    run_due_jobs()

    assert gateway.called("fetch_payment") == 2


def test_an_answer_younger_than_five_seconds_is_good_enough(waiting, statements):
    waiting.asked_at = clock.now() - timedelta(seconds=4)

    with statements() as told:
        assert not make_question_due(waiting)

    assert told == []


def test_who_waits_for_news_can_have_them_at_once(waiting):
    waiting.asked_at = clock.now()

    assert make_question_due(waiting, max_age_s=0)


def test_a_payment_that_nobody_tried_to_pay_has_nothing_to_ask(payment, statements):
    with statements() as told:
        assert not make_question_due(payment)

    assert told == []


@pytest.mark.parametrize("status", ["completed", "review", "canceled", "refunded"])
def test_a_settled_payment_has_nothing_to_ask(merchant, statements, status):
    payment = make_payment_in(status, merchant, asked_at=clock.now() - timedelta(hours=1))

    with statements() as told:
        assert not make_question_due(payment)

    assert told == []


@pytest.mark.parametrize("status", ["pending", "processing", "failed", "expired"])
def test_an_unsettled_payment_is_asked_about(merchant, status):
    payment = make_payment_in(status, merchant, asked_at=clock.now() - timedelta(hours=1))
    put_on_ladder(make_attempt(payment), in_s=3600)

    assert make_question_due(payment)


def test_a_question_on_its_way_need_not_be_asked_twice(merchant):
    payment = make_payment(merchant, asked_at=clock.now() - timedelta(hours=1))
    make_attempt(payment, status=AttemptStatus.PENDING)  # Its question is running: no job is queued.

    assert not make_question_due(payment)
