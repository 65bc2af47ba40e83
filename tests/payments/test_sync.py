"""What each answer, and each silence, does to an attempt and its payment."""

from datetime import timedelta

import pytest

from tests.builders import make_attempt, make_payment, make_payment_in, make_snapshot
from tillgate.common import clock
from tillgate.events.models import Event
from tillgate.gateways.errors import DuplicateReference, GatewayUnknown, Rejected, Unreachable
from tillgate.gateways.protocol import Failure, GatewayState
from tillgate.payments.services.sync import OPENING, WAIT_AFTER_EXPIRY, apply_answer, ask
from tillgate.payments.states import OPEN_ATTEMPTS, AttemptStatus

DECLINED = Failure(code="insufficient_funds", message="Not enough money.", retryable=True)
LONG_OVER = WAIT_AFTER_EXPIRY + timedelta(minutes=1)
PENDING, FAILED, ABSENT = GatewayState.PENDING, GatewayState.FAILED, GatewayState.ABSENT


def answer(attempt, said):
    if isinstance(said, GatewayState):
        said = make_snapshot(attempt, said, failure=DECLINED if said == FAILED else None)
    apply_answer(attempt, said)
    attempt.refresh_from_db()
    attempt.payment.refresh_from_db()


def told(payment):
    return list(
        Event.objects.filter(subject=payment.reference).order_by("sequence").values_list("type", flat=True)
    )


@pytest.mark.parametrize(
    ("status", "said", "becomes", "payment_becomes"),
    [
        ("created", ABSENT, "failed", "failed"),
        ("created", PENDING, "created", "pending"),
        ("sent", ABSENT, "sent", "pending"),
        ("sent", PENDING, "pending", "pending"),
        ("sent", GatewayState.PROCESSING, "pending", "processing"),
        ("sent", FAILED, "failed", "failed"),
        ("sent", GatewayState.SUCCEEDED, "succeeded", "completed"),
        ("sent", GatewayState.REVERSED, "succeeded", "review"),
        ("unknown", ABSENT, "unknown", "pending"),
        ("unknown", PENDING, "pending", "pending"),
        ("unknown", GatewayState.PROCESSING, "pending", "processing"),
        ("unknown", FAILED, "failed", "failed"),
        ("unknown", GatewayState.SUCCEEDED, "succeeded", "completed"),
        ("pending", ABSENT, "pending", "pending"),
        ("pending", PENDING, "pending", "pending"),
        ("pending", GatewayState.PROCESSING, "pending", "processing"),
        ("pending", FAILED, "failed", "failed"),
        ("pending", GatewayState.SUCCEEDED, "succeeded", "completed"),
        ("failed", PENDING, "failed", "pending"),
        ("failed", FAILED, "failed", "pending"),
        ("failed", GatewayState.PROCESSING, "failed", "processing"),
        ("failed", GatewayState.SUCCEEDED, "succeeded", "completed"),
        ("superseded", ABSENT, "superseded", "pending"),
        ("superseded", PENDING, "superseded", "pending"),
        ("superseded", FAILED, "superseded", "pending"),
        ("superseded", GatewayState.PROCESSING, "superseded", "processing"),
        ("superseded", GatewayState.SUCCEEDED, "succeeded", "completed"),
    ],
)
def test_an_answer_moves_attempt_and_payment(payment, status, said, becomes, payment_becomes):
    attempt = make_attempt(payment, status=status)

    answer(attempt, said)

    assert (attempt.status, attempt.payment.status) == (becomes, payment_becomes)


@pytest.mark.parametrize("said", [PENDING, GatewayState.PROCESSING, FAILED, ABSENT])
def test_a09_late_news_that_says_less_than_we_know_is_dropped(attempt, said):
    answer(attempt, GatewayState.SUCCEEDED)
    sequence = attempt.payment.sequence

    answer(attempt, said)

    assert (attempt.status, attempt.payment.status) == ("succeeded", "completed")
    assert attempt.payment.sequence == sequence


@pytest.mark.parametrize("error", [GatewayUnknown, Rejected, DuplicateReference, Unreachable])
@pytest.mark.parametrize("status", [s for s in AttemptStatus if s != "succeeded"])
def test_a_silence_says_nothing_but_that_what_was_sent_is_unknown(payment, status, error):
    attempt = make_attempt(payment, status=status)

    answer(attempt, error("no answer"))

    assert attempt.status == ("unknown" if status == "sent" else status)
    assert (attempt.payment.status, told(payment)) == ("pending", [])


def test_processing_is_told_once(attempt):
    for _ in range(2):
        answer(attempt, GatewayState.PROCESSING)

    assert told(attempt.payment) == ["payment.processing"]


@pytest.mark.parametrize("status", ["expired", "canceled"])
def test_money_on_its_way_does_not_reopen_a_closed_payment(merchant, status):
    attempt = make_attempt(make_payment_in(status, merchant))

    answer(attempt, GatewayState.PROCESSING)

    assert attempt.payment.status == status


def test_a_decline_is_kept_with_the_attempt_the_payment_and_the_timeline(attempt):
    answer(attempt, FAILED)

    failure = {"code": "insufficient_funds", "message": "Not enough money.", "retryable": True}
    assert (attempt.failure, attempt.payment.failure) == (failure, failure)
    assert Event.objects.get(type="payment.failed").data == {"attempt": attempt.reference, **failure}


def test_a_second_decline_is_told_and_shown(merchant):
    attempt = make_attempt(make_payment_in("failed", merchant, failure={"code": "expired_card"}))

    answer(attempt, FAILED)

    assert told(attempt.payment) == ["attempt.failed"]
    assert attempt.payment.failure["code"] == "insufficient_funds"


@pytest.mark.parametrize("status", ["expired", "canceled", "completed"])
def test_a_decline_leaves_a_closed_payment_as_it_is(merchant, status):
    attempt = make_attempt(make_payment_in(status, merchant))

    answer(attempt, FAILED)

    assert (attempt.status, attempt.payment.status) == ("failed", status)
    assert told(attempt.payment) == ["attempt.failed"]


def test_a_decline_does_not_fail_a_payment_that_is_still_open_elsewhere(payment):
    attempt, _other = make_attempt(payment), make_attempt(payment)

    answer(attempt, FAILED)

    assert (attempt.status, attempt.payment.status) == ("failed", "pending")
    assert told(payment) == ["attempt.failed"]


def test_an_open_attempt_whose_page_nobody_got_keeps_nothing_open(payment):
    attempt, _lost = make_attempt(payment), make_attempt(payment, status="unknown", redirect_url="")

    answer(attempt, FAILED)

    assert attempt.payment.status == "failed"


@pytest.mark.parametrize("status", ["superseded", "failed"])
def test_a_payment_does_not_stay_processing_when_what_was_processing_failed(merchant, status):
    attempt = make_attempt(make_payment_in("processing", merchant), status=status, processing=True)

    answer(attempt, FAILED)

    assert (attempt.status, attempt.payment.status) == (status, "failed")


def test_an_open_page_is_no_money_on_its_way(merchant):
    payment = make_payment_in("processing", merchant)
    transfer, _open = make_attempt(payment, status="superseded", processing=True), make_attempt(payment)

    answer(transfer, FAILED)

    assert transfer.payment.status == "failed"


def test_a_payment_stays_processing_while_another_attempt_is(merchant):
    payment = make_payment_in("processing", merchant)
    left, _other = make_attempt(payment, processing=True), make_attempt(payment, processing=True)

    answer(left, FAILED)

    assert left.payment.status == "processing"


@pytest.mark.parametrize("status", ["sent", "unknown"])
def test_g02_g14_absent_once_is_no_answer_and_twice_means_never_opened(payment, status):
    attempt = make_attempt(payment, status=status, redirect_url="", created_at=clock.now() - OPENING * 2)

    answer(attempt, ABSENT)
    once = attempt.status
    answer(attempt, ABSENT)

    assert (once, attempt.status, attempt.payment.status) == (status, "failed", "failed")
    assert attempt.failure["code"] == "gateway_unreachable"


def test_what_is_just_being_opened_may_be_absent_as_often_as_it_likes(payment):
    attempt = make_attempt(payment, status="sent", redirect_url="")

    for _ in range(5):
        answer(attempt, ABSENT)

    assert attempt.status == "sent"


def test_g14_a_charge_that_we_started_is_never_failed_for_not_being_found(payment):
    long_ago = clock.now() - OPENING * 9
    charge = make_attempt(
        payment, status="unknown", redirect_url="", initiated_by="merchant", created_at=long_ago
    )

    for _ in range(5):
        answer(charge, ABSENT)

    assert charge.status == "unknown"


@pytest.mark.parametrize("lie", [{"gateway_reference": "ATT-SOMEBODY-ELSES"}, {"mode": "live"}])
def test_g11_g12_money_of_another_reference_or_mode_never_arrives(attempt, gateway, lie):
    gateway.says("fetch_payment", make_snapshot(attempt, **lie))

    assert ask(attempt.pk) is None

    attempt.payment.refresh_from_db()
    assert attempt.payment.status == "pending"


def test_g14_a_page_that_was_opened_does_not_fail_for_a_slow_lookup(attempt):
    for _ in range(5):
        answer(attempt, ABSENT)

    assert (attempt.status, attempt.absences) == ("pending", 5)


@pytest.mark.parametrize("said", [PENDING, ABSENT])
@pytest.mark.parametrize(("over", "status"), [(False, "pending"), (True, "failed")])
def test_a_session_ends_72_hours_after_expiry(merchant, said, over, status):
    past = LONG_OVER if over else WAIT_AFTER_EXPIRY - timedelta(minutes=1)
    attempt = make_attempt(make_payment(merchant, status="expired", expires_at=clock.now() - past))

    answer(attempt, said)

    assert (attempt.status, attempt.payment.status) == (status, "expired")


def test_money_on_its_way_is_waited_for_however_long_it_takes(merchant):
    payment = make_payment(merchant, status="processing", expires_at=clock.now() - LONG_OVER)
    attempt = make_attempt(payment)

    answer(attempt, GatewayState.PROCESSING)

    assert attempt.status in OPEN_ATTEMPTS
    assert attempt.questions == 1


def test_asking_returns_what_the_gateway_said(attempt, gateway):
    gateway.says("fetch_payment", make_snapshot(attempt))

    assert ask(attempt.pk) == GatewayState.SUCCEEDED


def test_asking_in_vain_returns_nothing(attempt, gateway):
    gateway.says("fetch_payment", Unreachable("no line"))

    assert ask(attempt.pk) is None


def test_asking_waits_for_a_key_that_was_taken_away(attempt, settings):
    settings.PAYSTACK_SECRET_KEY = ""

    assert ask(attempt.pk) is None
    attempt.refresh_from_db()
    assert attempt.questions == 1


def test_the_transaction_that_settled_is_asked_for_by_our_reference(attempt, gateway):
    gateway.says("fetch_payment", make_snapshot(attempt, gateway_id="7"))
    ask(attempt.pk)

    ask(attempt.pk, gateway_id="7")

    assert [name for name, _ in gateway.calls] == ["fetch_payment", "fetch_payment"]


def test_another_transaction_is_asked_for_by_the_gateways_id(attempt, gateway):
    gateway.says("fetch_transaction", make_snapshot(attempt, gateway_id="8"))

    assert ask(attempt.pk, gateway_id="8") == GatewayState.SUCCEEDED
    assert gateway.calls == [("fetch_transaction", ("8",))]


def test_a01_g11_a_transaction_about_another_reference_is_refused(attempt, gateway):
    gateway.says("fetch_transaction", make_snapshot(attempt, gateway_reference="ATT-VICTIM"))

    assert ask(attempt.pk, gateway_id="8") is None
    attempt.payment.refresh_from_db()
    assert attempt.payment.status == "pending"


@pytest.mark.parametrize(
    ("told", "becomes"),
    [(ABSENT, "pending"), (GatewayState.PROCESSING, "processing"), (GatewayState.SUCCEEDED, "completed")],
)
def test_a_transaction_that_failed_says_nothing_of_the_others(attempt, gateway, told, becomes):
    gateway.says("fetch_transaction", make_snapshot(attempt, FAILED))
    gateway.says("fetch_payment", make_snapshot(attempt, told))

    assert ask(attempt.pk, gateway_id="8") == FAILED  # Of what was asked about.

    attempt.payment.refresh_from_db()
    assert attempt.payment.status == becomes


def test_a_transaction_that_the_gateway_does_not_know_is_absent(attempt, gateway):
    gateway.says("fetch_transaction", make_snapshot(attempt, ABSENT, gateway_reference=""))

    assert ask(attempt.pk, gateway_id="8") == ABSENT
