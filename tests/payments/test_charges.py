"""A saved method is charged once; what its answer, and each kind of silence, makes of attempt and payment."""

import pytest
from django.db import IntegrityError, transaction

from tests.builders import make_attempt, make_ill, make_method, make_payment, make_snapshot
from tests.fakes import RepeatingChargesGateway
from tests.subscriptions.diary import charging
from tillgate.common import clock
from tillgate.gateways import registry
from tillgate.gateways.declines import decline
from tillgate.gateways.errors import (
    DuplicateReference,
    GatewayUnknown,
    MethodRefused,
    Rejected,
    Unreachable,
)
from tillgate.gateways.protocol import GatewayState, PaymentSnapshot
from tillgate.money import Money
from tillgate.payments.errors import NotInThisState
from tillgate.payments.models import Attempt, Payment
from tillgate.payments.services.charges import (
    charger_of,
    may_be_sent_again,
    reserve_charge,
    resolve_lost,
    send_charge,
)
from tillgate.payments.services.moves import lock_payment
from tillgate.payments.services.sync import SURELY_LISTED, apply_answer

ABSENT = PaymentSnapshot(state=GatewayState.ABSENT, gateway_reference="")


@pytest.fixture
def script(gateway, monkeypatch):
    monkeypatch.setitem(registry.GATEWAYS, "paystack", charging(gateway))
    return gateway


@pytest.fixture
def reserved(merchant, script):
    return reserve(make_payment(merchant), make_method(merchant))


def reserve(payment, method, reference="SUB-1-1"):
    with transaction.atomic():
        attempt = reserve_charge(lock_payment(payment.pk), method, reference)
    return Attempt.objects.select_related("payment__merchant", "payment_method").get(pk=attempt.pk)


def send(attempt, **options):
    send_charge(attempt, **options)
    attempt.refresh_from_db()
    attempt.payment.refresh_from_db()
    return attempt.status, attempt.payment.status


def test_a_charge_is_written_down_before_it_is_sent(reserved):
    payment = Payment.objects.get(pk=reserved.payment_id)

    assert (reserved.status, reserved.initiated_by) == ("sent", "merchant")
    assert payment.status == "processing"


def test_a_confirmed_charge_completes_its_payment(reserved, script):
    script.says("charge_saved", make_snapshot(reserved))

    assert send(reserved) == ("succeeded", "completed")


@pytest.mark.parametrize(
    ("said", "attempt_is", "payment_is"),
    [
        (GatewayUnknown("no answer"), "unknown", "processing"),
        (DuplicateReference("known"), "unknown", "processing"),
        (Unreachable("not sent"), "failed", "failed"),
        (Rejected("wrong key"), "failed", "failed"),
        (MethodRefused("inactive"), "failed", "failed"),
    ],
)
def test_each_error_says_whether_money_may_have_moved(reserved, script, said, attempt_is, payment_is):
    script.says("charge_saved", said)

    assert send(reserved) == (attempt_is, payment_is)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unreachable("not sent"), "gateway_unreachable"),
        (Rejected("wrong key"), "gateway_refused"),
        (MethodRefused("inactive"), "method_not_usable"),
    ],
)
def test_what_surely_took_no_money_says_why(reserved, script, error, code):
    script.says("charge_saved", error)
    send(reserved)

    assert reserved.payment.failure["code"] == code


def test_money_on_its_way_keeps_the_payment_processing(reserved, script):
    script.says("charge_saved", make_snapshot(reserved, GatewayState.PROCESSING))

    assert send(reserved) == ("pending", "processing")


def test_a_decline_fails_attempt_and_payment(reserved, script):
    script.says("charge_saved", make_snapshot(reserved, GatewayState.FAILED, failure=decline("declined")))

    assert send(reserved) == ("failed", "failed")


def test_an_answer_about_another_reference_is_no_answer(reserved, script):
    script.says("charge_saved", make_snapshot(reserved, gateway_reference="SUB-OTHER-1"))

    assert send(reserved) == ("unknown", "processing")


def test_another_amount_than_asked_for_goes_to_review(reserved, script):
    script.says("charge_saved", make_snapshot(reserved, amount=Money(1, "NGN")))

    assert send(reserved) == ("succeeded", "review")


def test_the_id_of_the_order_that_a_charge_has_made_is_kept(reserved, script):
    script.says("charge_saved", make_snapshot(reserved, session_id="ORDER-1"))
    send(reserved)

    assert reserved.session_id == "ORDER-1"


def test_a_gateway_that_rests_is_not_called(reserved, script):
    make_ill("paystack", failures=5)

    assert send(reserved) == ("failed", "failed")
    assert script.called("charge_saved") == 0


def test_a_method_whose_key_was_taken_away_is_not_usable(reserved, script, settings):
    settings.TILLGATE_ENCRYPTION_KEYS = ("YW5vdGhlci1rZXktYW5vdGhlci1rZXktYW5vdGhlciE=",)

    assert send(reserved) == ("failed", "failed")
    assert reserved.payment.failure["code"] == "method_not_usable"


def test_one_charge_of_a_payment_is_open_at_a_time(reserved, merchant):
    Payment.objects.filter(pk=reserved.payment_id).update(status="failed")

    with pytest.raises(IntegrityError):
        reserve(reserved.payment, make_method(merchant), "SUB-1-2")


@pytest.mark.parametrize("status", ["processing", "completed", "canceled", "expired", "review"])
def test_only_what_can_be_paid_is_charged(merchant, script, status):
    paid = {"completed_at": clock.now(), "received_minor": 5_000} if status == "completed" else {}
    payment = make_payment(merchant, status=status, **paid)

    with pytest.raises(AssertionError):
        reserve(payment, make_method(merchant))


def test_a_young_or_answered_charge_is_never_sent_again(reserved, script):
    assert not again(reserved)
    script.says("charge_saved", make_snapshot(reserved))
    send(reserved)

    assert not again(reserved)


def test_a_charge_is_sent_again_only_when_the_gateway_would_surely_know_it(reserved, script):
    script.says("charge_saved", GatewayUnknown("no answer"))
    send(reserved)
    for _ in range(3):
        apply_answer(reserved, ABSENT)
    assert not again(reserved)
    clock.advance(round(SURELY_LISTED.total_seconds()) + 60)
    apply_answer(reserved, ABSENT)
    assert not again(reserved)

    apply_answer(reserved, ABSENT)

    assert again(reserved)


def test_silence_is_no_leave_to_send_again(reserved, script):
    script.says("charge_saved", GatewayUnknown("no answer"))
    send(reserved)
    clock.advance(round(SURELY_LISTED.total_seconds()) + 60)
    for _ in range(3):
        apply_answer(reserved, GatewayUnknown("no answer"))

    assert not again(reserved)


def test_where_the_first_answer_is_returned_it_is_sent_again_while_the_key_is_kept(
    reserved, script, monkeypatch
):
    repeating = charging(script, RepeatingChargesGateway)
    monkeypatch.setitem(registry.GATEWAYS, "paystack", repeating)
    assert again(reserved)

    clock.advance(6 * 3_600 - 300)

    assert not again(reserved)


@pytest.mark.parametrize("error", [Unreachable("not sent"), Rejected("no"), MethodRefused("inactive")])
def test_the_second_sending_cannot_fail_what_the_first_may_have_done(reserved, script, error):
    script.says("charge_saved", GatewayUnknown("no answer"), error)
    send(reserved)

    Attempt.objects.update(sent_again_at=clock.now())

    assert send(reserved) == ("unknown", "processing")


def test_a_person_may_say_that_a_charge_was_never_made(reserved, script):
    script.says("charge_saved", GatewayUnknown("no answer"))
    script.says("fetch_payment", ABSENT)
    send(reserved)
    with pytest.raises(NotInThisState):
        resolve_lost(reserved.pk)
    clock.advance(86_500)

    assert resolve_lost(reserved.pk).status == "failed"


def test_a_person_is_told_when_the_gateway_knows_the_charge_after_all(reserved, script):
    script.says("charge_saved", GatewayUnknown("no answer"))
    script.says("fetch_payment", make_snapshot(reserved))
    send(reserved)
    clock.advance(86_500)

    with pytest.raises(NotInThisState):
        resolve_lost(reserved.pk)

    reserved.payment.refresh_from_db()
    assert reserved.payment.status == "completed"


def test_a_customers_attempt_is_none_of_this(merchant, script):
    attempt = make_attempt(make_payment(merchant), status="unknown")

    with pytest.raises(NotInThisState):
        resolve_lost(attempt.pk)


def again(attempt):
    attempt = Attempt.objects.select_related("payment__merchant").get(pk=attempt.pk)
    gateway = charger_of(attempt)
    assert gateway is not None
    return may_be_sent_again(attempt, gateway)
