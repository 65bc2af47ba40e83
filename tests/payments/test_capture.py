"""Money that the customer has only agreed to is taken once, and only while the payment wants it."""

from datetime import timedelta

import pytest

from tests.builders import make_attempt, make_payment, make_payment_in, make_snapshot
from tests.fakes import CapturingGateway, Script
from tillgate.common import clock
from tillgate.events.models import Event
from tillgate.gateways import registry
from tillgate.gateways.declines import decline, unmapped
from tillgate.gateways.errors import GatewayUnknown, Rejected, Unreachable
from tillgate.gateways.protocol import GatewayState
from tillgate.payments.errors import NotInThisState
from tillgate.payments.services.cancel import cancel_payment
from tillgate.payments.services.sync import ask

APPROVED, SUCCEEDED = GatewayState.APPROVED, GatewayState.SUCCEEDED


@pytest.fixture
def gateway(monkeypatch):
    script = Script()
    fake = type("Fake", (CapturingGateway,), {"script": script})
    monkeypatch.setitem(registry.GATEWAYS, "paystack", fake)
    return script


@pytest.fixture
def approved(gateway, attempt):
    gateway.says("fetch_payment", make_snapshot(attempt, APPROVED))
    gateway.says("capture_approved", make_snapshot(attempt, SUCCEEDED))
    return attempt


def statuses(attempt):
    attempt.refresh_from_db()
    attempt.payment.refresh_from_db()
    return attempt.status, attempt.payment.status


def test_what_the_customer_agreed_to_is_taken_and_settles(gateway, approved):
    assert ask(approved.pk) == SUCCEEDED

    assert statuses(approved) == ("succeeded", "completed")
    assert gateway.called("capture_approved") == 1


def test_it_is_written_down_before_the_call(gateway, approved):
    def captured(ref):
        assert statuses(approved) == ("pending", "processing")
        assert approved.capture_sent_at is not None
        return make_snapshot(approved, SUCCEEDED)

    gateway.says("capture_approved", captured)

    ask(approved.pk)

    assert statuses(approved) == ("succeeded", "completed")


@pytest.mark.parametrize("status", ["sent", "unknown", "pending", "superseded"])
def test_an_attempt_in_any_open_state_is_captured(gateway, payment, status):
    attempt = make_attempt(payment, status=status)
    gateway.says("fetch_payment", make_snapshot(attempt, APPROVED))
    gateway.says("capture_approved", make_snapshot(attempt, SUCCEEDED))

    ask(attempt.pk)

    assert statuses(attempt) == ("succeeded", "completed")


@pytest.mark.parametrize(
    "status",
    ["processing", "completed", "review", "expired", "canceled", "refunded", "disputed", "charged_back"],
)
def test_a_payment_that_wants_no_money_gets_none(gateway, merchant, status):
    attempt = make_attempt(make_payment_in(status, merchant), status="superseded")
    gateway.says("fetch_payment", make_snapshot(attempt, APPROVED))

    assert ask(attempt.pk) == APPROVED

    assert statuses(attempt) == ("superseded", status)
    assert gateway.called("capture_approved") == 0


def test_a_payment_whose_time_is_over_gets_none_even_before_it_is_marked(gateway, merchant):
    payment = make_payment(merchant, expires_at=clock.now() - timedelta(seconds=1))
    attempt = make_attempt(payment)
    gateway.says("fetch_payment", make_snapshot(attempt, APPROVED))

    ask(attempt.pk)

    assert gateway.called("capture_approved") == 0
    assert statuses(attempt) == ("pending", "pending")


def test_of_two_that_the_customer_agreed_to_one_is_taken(gateway, approved):
    other = make_attempt(approved.payment, status="superseded")
    gateway.says("capture_approved", GatewayUnknown("lost"))
    ask(approved.pk)
    gateway.says("fetch_payment", make_snapshot(other, APPROVED))

    ask(other.pk)

    assert [call for call in gateway.calls if call[0] == "capture_approved"] == [
        ("capture_approved", (approved.ref,))
    ]


def test_g24_what_was_agreed_to_after_the_payment_settled_elsewhere_is_not_taken(gateway, approved):
    other = make_attempt(approved.payment, status="superseded")
    ask(approved.pk)
    gateway.says("fetch_payment", make_snapshot(other, APPROVED))

    ask(other.pk)

    assert gateway.called("capture_approved") == 1
    assert statuses(other) == ("superseded", "completed")


def test_g01_a_lost_answer_is_asked_about_and_sent_again_with_the_same_key(gateway, approved):
    gateway.says("capture_approved", GatewayUnknown("lost"), make_snapshot(approved, SUCCEEDED))

    assert ask(approved.pk) is None
    assert statuses(approved) == ("pending", "processing")
    ask(approved.pk)

    assert statuses(approved) == ("succeeded", "completed")
    assert gateway.called("capture_approved") == 2


def test_g17_after_the_gateway_has_forgotten_the_key_it_is_only_asked_about(gateway, approved, monkeypatch):
    gateway.says("capture_approved", GatewayUnknown("lost"))
    ask(approved.pk)
    later = clock.now() + CapturingGateway.capture_key_kept
    monkeypatch.setattr(clock, "now", lambda: later)

    assert ask(approved.pk) == APPROVED

    assert gateway.called("capture_approved") == 1
    assert statuses(approved) == ("pending", "processing")


def test_while_it_may_be_taken_the_payment_cannot_be_canceled(gateway, approved):
    gateway.says("capture_approved", GatewayUnknown("lost"))
    ask(approved.pk)

    with pytest.raises(NotInThisState, match="processing"):
        cancel_payment(approved.payment.pk)


@pytest.mark.parametrize("trouble", [Unreachable("down"), GatewayUnknown("lost")])
def test_trouble_leaves_it_processing_and_on_the_ladder(gateway, approved, trouble):
    gateway.says("capture_approved", trouble)

    assert ask(approved.pk) is None

    assert statuses(approved) == ("pending", "processing")
    assert (approved.silences, approved.questions) == (1, 1)


def test_a_decline_fails_it_and_it_is_never_taken_again(gateway, approved):
    declined = make_snapshot(approved, GatewayState.FAILED, failure=decline("declined"))
    gateway.says("capture_approved", declined)
    ask(approved.pk)

    ask(approved.pk)

    assert statuses(approved) == ("failed", "failed")
    assert approved.payment.failure["code"] == "declined"
    assert gateway.called("capture_approved") == 1


def test_money_that_is_held_at_the_gateway_is_processing(gateway, approved):
    gateway.says("capture_approved", make_snapshot(approved, GatewayState.PROCESSING))

    assert ask(approved.pk) == GatewayState.PROCESSING

    assert statuses(approved) == ("pending", "processing")


@pytest.mark.parametrize("said", [GatewayState.PENDING, GatewayState.ABSENT, APPROVED])
def test_a_capture_that_took_nothing_lets_the_customer_try_again(gateway, approved, said):
    gateway.says("capture_approved", make_snapshot(approved, said))

    assert ask(approved.pk) == GatewayState.FAILED

    assert statuses(approved) == ("failed", "failed")
    assert approved.payment.failure["code"] == "session_expired"


def test_g11_a_capture_of_another_reference_settles_nothing(gateway, approved):
    gateway.says("capture_approved", make_snapshot(approved, SUCCEEDED, gateway_reference="ATT-OTHER"))

    assert ask(approved.pk) is None

    assert statuses(approved) == ("pending", "processing")


def test_a_decline_in_words_nobody_knows_is_told_to_somebody(gateway, approved, caplog):
    told = make_snapshot(approved, GatewayState.FAILED, failure=unmapped("QUITE_NEW"))
    gateway.says("capture_approved", told)

    ask(approved.pk)

    assert "decline_unmapped" in caplog.text
    assert "QUITE_NEW" in caplog.text
    failed = Event.objects.get(subject=approved.payment.reference, type="payment.failed")
    assert failed.data["code"] == "unknown"


def test_a_capture_that_is_refused_at_once_lets_the_customer_pay_in_another_way(gateway, approved):
    gateway.says("capture_approved", Rejected("not allowed"))

    assert ask(approved.pk) == GatewayState.FAILED

    assert statuses(approved) == ("failed", "failed")
    assert approved.payment.failure["code"] == "gateway_refused"


def test_a_refusal_after_a_lost_answer_ends_nothing(gateway, approved):
    gateway.says("capture_approved", GatewayUnknown("lost"), Rejected("not allowed"))
    ask(approved.pk)

    assert ask(approved.pk) is None

    assert statuses(approved) == ("pending", "processing")


def lost_on_its_way(gateway, attempt):
    gateway.says("fetch_payment", make_snapshot(attempt, APPROVED))
    gateway.says("capture_approved", GatewayUnknown("lost"))
    ask(attempt.pk)


def test_i1_a_lost_capture_is_not_sent_again_once_the_payment_is_paid_elsewhere(gateway, approved):
    lost_on_its_way(gateway, approved)
    other = make_attempt(approved.payment)
    gateway.says("fetch_payment", make_snapshot(other, SUCCEEDED))
    ask(other.pk)
    gateway.says("fetch_payment", make_snapshot(approved, APPROVED))

    assert ask(approved.pk) == APPROVED

    assert gateway.called("capture_approved") == 1
    assert statuses(approved) == ("pending", "completed")


def test_i1_nor_while_other_money_is_on_its_way(gateway, approved):
    lost_on_its_way(gateway, approved)
    other = make_attempt(approved.payment)
    gateway.says("fetch_payment", make_snapshot(other, GatewayState.PROCESSING))
    ask(other.pk)
    gateway.says("fetch_payment", make_snapshot(approved, APPROVED))

    ask(approved.pk)

    assert gateway.called("capture_approved") == 1


@pytest.mark.parametrize("after", ["paid elsewhere", "canceled", "nothing"])
def test_i1_a_session_that_was_left_and_declined_is_never_taken_again(gateway, payment, after):
    left = make_attempt(payment, status="superseded")
    gateway.says("fetch_payment", make_snapshot(left, APPROVED))
    gateway.says("capture_approved", make_snapshot(left, GatewayState.FAILED, failure=decline("declined")))
    ask(left.pk)
    if after == "paid elsewhere":
        other = make_attempt(payment)
        gateway.says("fetch_payment", make_snapshot(other, SUCCEEDED))
        ask(other.pk)
    elif after == "canceled":
        cancel_payment(payment.pk)
    gateway.says("fetch_payment", make_snapshot(left, APPROVED))

    assert ask(left.pk) == APPROVED

    assert gateway.called("capture_approved") == 1
