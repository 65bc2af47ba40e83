"""When a session cannot be opened, or its answer comes late: what is stored, and what the caller may do."""

import pytest
from django.db import connection

from tests.builders import make_attempt, make_snapshot
from tests.fakes import PAGE
from tillgate.common import clock
from tillgate.common.errors import GatewayTrouble
from tillgate.common.jobs import run_due_jobs
from tillgate.events.models import Event
from tillgate.gateways.errors import DuplicateReference, GatewayUnknown, Rejected, Unreachable
from tillgate.gateways.protocol import GatewayState
from tillgate.payments.errors import GatewayRefused, GatewayTimeout, NotInThisState, StillRunning
from tillgate.payments.models import Attempt, Payment
from tillgate.payments.services.cancel import cancel_payment
from tillgate.payments.services.sessions import Claim, open_session
from tillgate.payments.services.sync import apply_answer


@pytest.mark.parametrize("error", [GatewayUnknown("lost"), DuplicateReference("known already")])
def test_g01_g16_a_lost_answer_makes_the_attempt_unknown_and_nothing_else(payment, gateway, error):
    gateway.says("start_payment", error)

    with pytest.raises(GatewayTimeout) as refused:
        open_session(payment, None)

    payment.refresh_from_db()
    assert (refused.value.http_status, refused.value.headers) == (504, {"Retry-After": "2"})
    assert (Attempt.objects.get().status, payment.status) == ("unknown", "pending")


def test_after_a_lost_answer_another_session_can_be_opened_at_once(payment, gateway):
    gateway.says("start_payment", GatewayUnknown("lost"), PAGE)
    with pytest.raises(GatewayTimeout):
        open_session(payment, None)

    attempt, is_new = open_session(payment, None)

    assert (is_new, attempt.status, payment.attempts.count()) == (True, "pending", 2)
    assert attempt.gateway_reference != payment.attempts.first().gateway_reference


@pytest.mark.parametrize("error", [GatewayUnknown("lost"), Unreachable("no line"), Rejected("Invalid key")])
def test_a_key_whose_request_ended_in_an_error_goes_on_with_a_new_attempt(payment, gateway, error):
    claim = Claim(idempotency_hash="a" * 64, request_hash="b" * 64)
    gateway.says("start_payment", error, PAGE)
    with pytest.raises(GatewayTrouble):
        open_session(payment, None, claim)

    attempt, is_new = open_session(payment, None, claim)

    assert (is_new, attempt.redirect_url) == (True, PAGE.redirect_url)
    assert open_session(payment, None, claim) == (attempt, False)


def test_g22_an_unreachable_gateway_fails_the_attempt_and_a_retry_is_possible(payment, gateway):
    gateway.says("start_payment", Unreachable("no line", retry_after_s=7), PAGE)

    with pytest.raises(GatewayTrouble) as refused:
        open_session(payment, None)

    failed = Attempt.objects.get()
    assert (refused.value.http_status, refused.value.code) == (503, "gateway_unavailable")
    assert refused.value.headers == {"Retry-After": "7"}
    assert (failed.status, failed.failure["code"]) == ("failed", "gateway_unreachable")
    assert open_session(payment, None)[0].status == "pending"


def test_a_refused_request_fails_the_attempt_and_is_told(payment, gateway):
    gateway.says("start_payment", Rejected("Invalid key"))

    with pytest.raises(GatewayRefused) as refused:
        open_session(payment, None)

    payment.refresh_from_db()
    assert (refused.value.code, refused.value.headers) == ("gateway_refused", {})
    assert (Attempt.objects.get().failure["retryable"], payment.status) == (False, "pending")
    assert list(Event.objects.values_list("type", flat=True)) == ["attempt.created", "attempt.failed"]


def test_w02_news_that_overtakes_the_answer_stands(payment, gateway):
    def pay_first(request):
        attempt = Attempt.objects.get()
        apply_answer(attempt, make_snapshot(attempt))
        return PAGE

    gateway.says("start_payment", pay_first)
    attempt, _ = open_session(payment, None)

    payment.refresh_from_db()
    assert (attempt.status, attempt.redirect_url) == ("succeeded", PAGE.redirect_url)
    assert payment.status == "completed"


def test_w02_a_question_that_overtakes_the_answer_costs_no_page(payment, gateway):
    def ask_first(request):
        attempt = Attempt.objects.get()
        apply_answer(attempt, make_snapshot(attempt, GatewayState.PENDING))
        return PAGE

    gateway.says("start_payment", ask_first)

    assert open_session(payment, None)[0].redirect_url == PAGE.redirect_url


@pytest.mark.parametrize("error", [GatewayUnknown("lost"), Unreachable("no line")])
def test_trouble_does_not_undo_money_that_overtook_it(payment, gateway, error):
    def pay_first(request):
        attempt = Attempt.objects.get()
        apply_answer(attempt, make_snapshot(attempt))
        raise error

    gateway.says("start_payment", pay_first)
    with pytest.raises(NotInThisState):
        open_session(payment, None)

    assert (Attempt.objects.get().status, Payment.objects.get().status) == ("succeeded", "completed")


def test_c06_a_page_that_comes_after_its_attempt_was_given_up_is_shown_to_nobody(payment, gateway):
    def stall(request):
        clock.advance(60)
        for _ in range(2):
            apply_answer(Attempt.objects.get(), make_snapshot(Attempt.objects.get(), GatewayState.ABSENT))
        return PAGE

    gateway.says("start_payment", stall)
    with pytest.raises(GatewayTimeout):
        open_session(payment, None)

    # Else a customer could pay on a page that nobody asks about any more.
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.redirect_url) == ("failed", "")


def test_nobody_is_sent_to_pay_what_was_canceled_while_the_page_opened(payment, gateway):
    def cancel_first(request):
        cancel_payment(payment.pk)
        return PAGE

    gateway.says("start_payment", cancel_first)
    with pytest.raises(NotInThisState, match="canceled"):
        open_session(payment, None)

    assert Attempt.objects.get().status == "pending"  # It exists at the gateway, so it is asked about.


def test_nobody_is_sent_to_pay_twice_what_was_paid_while_the_page_opened(payment, gateway):
    other = make_attempt(payment, status="superseded")

    def pay_elsewhere(request):
        apply_answer(other, make_snapshot(other))
        return PAGE

    gateway.says("start_payment", pay_elsewhere)
    with pytest.raises(NotInThisState, match="completed"):
        open_session(payment, None)


@pytest.mark.parametrize(("model", "status"), [(Payment, "canceled"), (Attempt, "failed")])
def test_the_gateway_is_not_called_for_what_was_closed_between_two_commits(payment, gateway, model, status):
    def close(execute, sql, params, many, context):
        answer = execute(sql, params, many, context)
        if 'INTO "common_job"' in sql:  # The last write of the reservation.
            model.objects.update(status=status)
        return answer

    with connection.execute_wrapper(close), pytest.raises(StillRunning):
        open_session(payment, None)

    assert (Attempt.objects.get().status, gateway.calls) == ("failed", [])


def test_a_lost_answer_is_cleared_up_by_the_ladder(payment, gateway):
    gateway.says("start_payment", GatewayUnknown("lost"))
    with pytest.raises(GatewayTimeout):
        open_session(payment, None)
    attempt = Attempt.objects.get()
    gateway.says("fetch_payment", make_snapshot(attempt, GatewayState.ABSENT))

    for _ in range(3):
        clock.advance(15)
        run_due_jobs()

    attempt.refresh_from_db()
    payment.refresh_from_db()
    assert (attempt.status, payment.status) == ("failed", "failed")
