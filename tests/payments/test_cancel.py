import pytest

from tests.builders import make_attempt, make_payment_in, make_snapshot
from tillgate.events.models import Event
from tillgate.payments.errors import NotInThisState
from tillgate.payments.services.cancel import cancel_payment
from tillgate.payments.services.sync import apply_answer
from tillgate.payments.states import PAYABLE, PaymentStatus


@pytest.mark.parametrize("status", sorted(PAYABLE))
def test_a_payment_that_nobody_paid_can_be_canceled(merchant, status):
    payment = cancel_payment(make_payment_in(status, merchant).pk)

    assert payment.status == "canceled"
    assert Event.objects.get(subject=payment.reference).type == "payment.canceled"


def test_a_repeat_changes_nothing(payment):
    for _ in range(2):
        assert cancel_payment(payment.pk).status == "canceled"

    assert Event.objects.count() == 1


@pytest.mark.parametrize("status", [s for s in PaymentStatus if s not in (*PAYABLE, "canceled")])
def test_nothing_else_can_be_canceled(merchant, status):
    payment = make_payment_in(status, merchant)

    with pytest.raises(NotInThisState, match=f"is {status}; only a pending or failed payment") as refused:
        cancel_payment(payment.pk)

    assert (refused.value.http_status, Event.objects.count()) == (409, 0)


@pytest.mark.parametrize(
    ("status", "becomes"), [("pending", "superseded"), ("unknown", "unknown"), ("failed", "failed")]
)
def test_an_open_session_is_superseded_for_it_cannot_be_closed_everywhere(payment, status, becomes):
    attempt = make_attempt(payment, status=status)

    cancel_payment(payment.pk)

    attempt.refresh_from_db()
    assert attempt.status == becomes


def test_g25_money_that_comes_all_the_same_goes_to_review(attempt):
    cancel_payment(attempt.payment_id)

    apply_answer(attempt, make_snapshot(attempt))

    attempt.payment.refresh_from_db()
    assert (attempt.payment.status, attempt.payment.review_reason) == ("review", "paid_after_cancel")
