"""Opening a gateway's page: what is committed when, what is reused, what is refused."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, connections

from tests.builders import make_attempt, make_payment, make_payment_in
from tests.fakes import PAGE
from tillgate.common import clock
from tillgate.common.jobs.models import Job
from tillgate.events.models import Event
from tillgate.gateways.protocol import PaymentStarted
from tillgate.merchants.errors import NoGateway
from tillgate.money import Money
from tillgate.payments.errors import KeyReused, NotInThisState, StillRunning, TooManyAttempts
from tillgate.payments.models import Attempt
from tillgate.payments.services.sessions import MAX_ATTEMPTS, Claim, open_session
from tillgate.payments.services.sync import OPENING
from tillgate.payments.states import PAYABLE, PaymentStatus

KEY = Claim(idempotency_hash="a" * 64, request_hash="b" * 64)


def seen_by_another_process():
    """What is committed: the statuses of all attempts, read over another connection."""

    def read():
        try:
            return list(Attempt.objects.values_list("status", flat=True))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as other:
        return other.submit(read).result()


def test_a_session_is_opened_at_the_gateway(payment, gateway):
    attempt, is_new = open_session(payment, "paystack")

    [(_, (request,))] = gateway.calls
    assert is_new
    assert (attempt.status, attempt.redirect_url, attempt.access_code) == (
        "pending",
        PAGE.redirect_url,
        "code-1",
    )
    assert request.gateway_reference == attempt.gateway_reference == attempt.reference
    assert (request.amount, request.customer_email) == (Money(5_000, "NGN"), "john@example.com")
    assert request.return_url.endswith(f"/pay/{payment.checkout_token}/return")
    assert request.cancel_url.endswith(f"/pay/{payment.checkout_token}")


def test_opening_leaves_the_payment_pending_and_is_told(payment, gateway):
    attempt, _ = open_session(payment, None)

    payment.refresh_from_db()
    event = Event.objects.get(subject=payment.reference)
    assert (payment.status, payment.gateway, event.type) == ("pending", "paystack", "attempt.created")
    assert event.data == {"attempt": attempt.reference, "gateway": "paystack"}


@pytest.mark.django_db(transaction=True)
def test_c01_the_attempt_is_committed_as_sent_before_the_gateway_is_called(payment, gateway):
    seen = []

    def look(request):
        seen.extend(seen_by_another_process())
        return PAGE

    gateway.says("start_payment", look)
    open_session(payment, None)

    assert seen == ["sent"]


@pytest.mark.django_db(transaction=True)
def test_c01_a_process_that_dies_before_it_sends_leaves_a_created_attempt_and_its_question(payment, gateway):
    def die(execute, sql, params, many, context):
        if sql.startswith('UPDATE "payments_attempt"'):
            raise SystemExit
        return execute(sql, params, many, context)

    with connection.execute_wrapper(die), pytest.raises(SystemExit):
        open_session(payment, None)

    attempt = Attempt.objects.get()
    assert (attempt.status, gateway.calls) == ("created", [])
    assert Job.objects.get().unique_key == attempt.question_key


@pytest.mark.django_db(transaction=True)
def test_c01_a_process_that_dies_after_the_call_leaves_a_sent_attempt_and_its_question(payment, gateway):
    def die(request):
        raise SystemExit

    gateway.says("start_payment", die)
    with pytest.raises(SystemExit):
        open_session(payment, None)

    attempt = Attempt.objects.get()
    assert attempt.status == "sent"
    assert Job.objects.get().unique_key == attempt.question_key


def test_an_open_session_of_the_same_gateway_is_returned_again(payment, gateway):
    first, _ = open_session(payment, "paystack")

    again, is_new = open_session(payment, "paystack")

    assert (again, is_new, gateway.called("start_payment")) == (first, False, 1)


def test_g24_a_session_at_another_gateway_is_superseded(payment, gateway):
    left = make_attempt(payment, gateway="flutterwave")

    open_session(payment, "paystack")

    left.refresh_from_db()
    assert left.status == "superseded"


def test_an_open_attempt_without_a_page_is_superseded(payment, gateway):
    lost = make_attempt(payment, redirect_url="")

    attempt, is_new = open_session(payment, "paystack")

    lost.refresh_from_db()
    assert is_new
    assert (lost.status, attempt.status) == ("superseded", "pending")


@pytest.mark.parametrize("status", ["failed", "superseded", "unknown"])
def test_an_ended_or_doubtful_attempt_does_not_bar_the_next(payment, gateway, status):
    make_attempt(payment, status=status)

    assert open_session(payment, None)[1]


@pytest.mark.parametrize("status", ["created", "sent"])
def test_a_session_that_is_being_opened_is_waited_for(payment, gateway, status):
    make_attempt(payment, status=status, redirect_url="")

    with pytest.raises(StillRunning) as refused:
        open_session(payment, None)

    assert (refused.value.http_status, refused.value.headers) == (409, {"Retry-After": "2"})


@pytest.mark.parametrize("status", ["created", "sent"])
def test_a_session_whose_opener_was_lost_does_not_bar_the_next(payment, gateway, status):
    long_ago = clock.now() - OPENING - timedelta(seconds=1)
    make_attempt(payment, status=status, redirect_url="", created_at=long_ago)

    assert open_session(payment, None)[1]


def test_a_payment_takes_ten_attempts(payment, gateway):
    for _ in range(MAX_ATTEMPTS):
        make_attempt(payment, status="failed")

    with pytest.raises(TooManyAttempts):
        open_session(payment, None)

    assert (payment.attempts.count(), gateway.calls) == (10, [])


@pytest.mark.parametrize("status", [s for s in PaymentStatus if s not in PAYABLE])
def test_only_a_pending_or_failed_payment_can_be_paid(merchant, gateway, status):
    with pytest.raises(NotInThisState, match=status):
        open_session(make_payment_in(status, merchant), None)

    assert gateway.calls == []


def test_a_payment_cannot_be_paid_after_its_time_though_nobody_has_closed_it_yet(merchant, gateway):
    with pytest.raises(NotInThisState, match="expired"):
        open_session(make_payment(merchant, expires_at=clock.now()), None)


def test_a_failed_payment_can_be_tried_again(merchant, gateway):
    payment = make_payment_in("failed", merchant)

    assert open_session(payment, None)[0].status == "pending"


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"gateway": "paystack"}, "flutterwave"),
        ({}, "flutterwave"),
        ({"currency": "KWD"}, None),
        ({"currency": "KWD"}, "paystack"),
        ({"mode": "live"}, None),
    ],
    ids=["pinned", "no account", "currency", "its currency", "mode"],
)
def test_a_gateway_that_cannot_take_it_is_not_asked(merchant, gateway, fields, wanted):
    with pytest.raises(NoGateway):
        open_session(make_payment(merchant, **fields), wanted)

    assert (gateway.calls, Attempt.objects.count()) == ([], 0)


def test_a_pinned_gateway_is_taken_without_a_word(merchant, gateway):
    attempt, _ = open_session(make_payment(merchant, gateway="paystack"), None)

    assert attempt.gateway == "paystack"


def test_m06_the_same_key_returns_the_first_attempt_whatever_became_of_it(payment, gateway):
    first, _ = open_session(payment, None, KEY)
    Attempt.objects.update(status="failed")

    again, is_new = open_session(payment, None, KEY)

    assert (again, again.status, is_new) == (first, "failed", False)


def test_m02_a_key_with_another_body_is_refused(payment, gateway):
    open_session(payment, None, KEY)

    with pytest.raises(KeyReused):
        open_session(payment, None, Claim(idempotency_hash="a" * 64, request_hash="c" * 64))


@pytest.mark.parametrize("status", ["created", "sent"])
def test_m03_a_key_whose_first_request_still_runs_is_told_to_wait(payment, gateway, status):
    make_attempt(payment, status=status, idempotency_hash="a" * 64, request_hash="b" * 64)

    with pytest.raises(StillRunning):
        open_session(payment, None, KEY)


def test_a_broken_rule_of_the_table_is_not_taken_for_a_used_key(payment, gateway):
    def refuse(execute, sql, params, many, context):
        if sql.startswith('INSERT INTO "payments_attempt"'):
            raise IntegrityError("some other rule")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse), pytest.raises(IntegrityError):
        open_session(payment, None, KEY)


@pytest.mark.django_db(transaction=True)
def test_a_double_click_opens_one_session(payment, gateway):
    together, results = threading.Barrier(8), []
    gateway.says("start_payment", PAGE, *[PaymentStarted(redirect_url="https://never")] * 8)

    def click():
        try:
            together.wait()
            results.append(open_session(payment, None)[0].redirect_url)
        except StillRunning:
            results.append("wait")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=click) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (Attempt.objects.count(), gateway.called("start_payment")) == (1, 1)
    assert set(results) <= {PAGE.redirect_url, "wait"}
    assert len(results) == 8
