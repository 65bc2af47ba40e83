import pytest

from tests.builders import (
    make_attempt,
    make_attempt_in,
    make_payment,
    make_payment_in,
    make_refund,
    make_snapshot,
)
from tillgate.common.jobs.models import Job
from tillgate.events.models import Event
from tillgate.gateways.protocol import GatewayState
from tillgate.ledger.models import Entry
from tillgate.money import Money
from tillgate.payments.errors import NotInThisState
from tillgate.payments.models import Refund
from tillgate.payments.services.review import resolve_review
from tillgate.payments.services.sync import apply_answer
from tillgate.payments.services.verify import violations
from tillgate.payments.states import PaymentStatus

LESS = Money(4_000, "NGN")


def in_review(merchant, amount=LESS, state=GatewayState.SUCCEEDED, **fields):
    attempt = make_attempt(make_payment(merchant, **fields))
    apply_answer(attempt, make_snapshot(attempt, state, amount=amount, requested=None))
    attempt.refresh_from_db()
    attempt.payment.refresh_from_db()
    assert attempt.payment.status == "review"
    return attempt


def test_accepted_money_completes_the_payment_with_what_came(merchant):
    attempt = in_review(merchant)

    payment = resolve_review(attempt.payment_id, "accept")

    attempt.refresh_from_db()
    assert (payment.status, payment.received_minor, attempt.settles) == ("completed", 4_000, True)
    sums = {account: sum(minors) for account, minors in entries().items()}
    assert sums == {"gateway": 4_000, "held": 0, "sales": -4_000}
    assert Event.objects.get(type="payment.completed").data == {"decision": "accept"}
    assert list(violations()) == []


def entries():
    rows: dict[str, list[int]] = {}
    for account, minor in Entry.objects.order_by("pk").values_list("account", "amount_minor"):
        rows.setdefault(account, []).append(minor)
    return rows


@pytest.mark.parametrize("decision", ["accept", "refund"])
def test_the_same_decision_again_changes_nothing(merchant, decision):
    attempt = in_review(merchant)

    for _ in range(2):
        resolve_review(attempt.payment_id, decision)

    assert Entry.objects.count() == (4 if decision == "accept" else 2)
    assert Refund.objects.count() == Job.objects.filter(task__endswith="submit_refund").count()
    assert Refund.objects.count() == (decision == "refund")


def test_a_refund_is_reserved_queued_and_told_and_the_payment_waits_for_it(merchant):
    attempt = in_review(merchant)

    payment = resolve_review(attempt.payment_id, "refund")

    refund = Refund.objects.get()
    assert (payment.status, refund.status, refund.amount) == ("review", "pending", Money(4_000, "NGN"))
    assert (refund.attempt, refund.listed_before) == (attempt, None)
    assert Event.objects.get(subject=refund.reference).type == "refund.pending"
    assert Job.objects.get(task__endswith="submit_refund").args == [refund.pk]


def test_a_refund_that_was_made_already_is_repeated_in_words_only(merchant):
    payment = make_payment_in("refunded", merchant, review_reason="wrong_amount")

    assert resolve_review(payment.pk, "refund").status == "refunded"
    assert not Refund.objects.exists()


@pytest.mark.parametrize("status", [s for s in PaymentStatus if s != "review"])
@pytest.mark.parametrize("decision", ["accept", "refund"])
def test_a_payment_that_was_never_in_review_cannot_be_resolved(merchant, status, decision):
    with pytest.raises(NotInThisState, match=f"is {status}; only a payment in review"):
        resolve_review(make_payment_in(status, merchant).pk, decision)


def test_g10_money_of_another_currency_can_only_be_refunded(merchant):
    attempt = in_review(merchant, Money(5_000, "GHS"))

    with pytest.raises(NotInThisState, match="GHS"):
        resolve_review(attempt.payment_id, "accept")
    resolve_review(attempt.payment_id, "refund")

    assert Refund.objects.get().amount == Money(5_000, "GHS")


def test_g18_money_that_was_taken_back_cannot_be_accepted(merchant):
    attempt = in_review(merchant, Money(5_000, "NGN"), GatewayState.REVERSED)

    with pytest.raises(NotInThisState, match="took the money back"):
        resolve_review(attempt.payment_id, "accept")


@pytest.mark.parametrize("status", ["pending", "unknown", "succeeded"])
def test_money_on_its_way_back_cannot_be_accepted(merchant, status):
    attempt = in_review(merchant)
    make_refund(attempt.payment, attempt, status=status)

    with pytest.raises(NotInThisState, match="on its way back"):
        resolve_review(attempt.payment_id, "accept")


@pytest.mark.parametrize("decision", ["accept", "refund"])
def test_after_a_failed_refund_a_person_decides_again(merchant, decision):
    attempt = in_review(merchant)
    make_refund(attempt.payment, attempt, status="failed")

    payment = resolve_review(attempt.payment_id, decision)

    assert payment.status == ("completed" if decision == "accept" else "review")
    assert Refund.objects.count() == (1 if decision == "accept" else 2)


def test_the_first_money_is_what_is_reviewed(merchant):
    attempt = in_review(merchant)
    make_attempt_in("succeeded", attempt.payment, verified_at=attempt.verified_at)

    resolve_review(attempt.payment_id, "refund")

    assert Refund.objects.get().attempt == attempt


def test_a_late_completion_forgets_the_decline_before_it(merchant):
    attempt = in_review(merchant, status="failed", failure={"code": "declined"})

    assert resolve_review(attempt.payment_id, "accept").failure is None


def test_reversed_money_is_booked_as_returned_and_nothing_is_called(merchant, gateway):
    attempt = in_review(merchant, Money(5_000, "NGN"), GatewayState.REVERSED)

    payment = resolve_review(attempt.payment_id, "refund")

    assert (payment.status, payment.refunded_minor) == ("refunded", 5_000)
    assert (Refund.objects.get().status, gateway.calls) == ("succeeded", [])
    assert list(violations()) == []


@pytest.mark.parametrize("status", ["pending", "unknown"])
def test_a_reversal_is_not_booked_beside_a_refund_that_may_be_the_same_money(merchant, gateway, status):
    attempt = in_review(merchant, Money(5_000, "NGN"), GatewayState.REVERSED)
    ours = make_refund(attempt.payment, attempt, status=status)

    payment = resolve_review(attempt.payment_id, "refund")

    assert (payment.status, payment.refunded_minor) == ("review", 0)
    assert list(Refund.objects.all()) == [ours]


def test_first_news_of_a_refund_under_way_is_for_a_person(merchant):
    attempt = in_review(merchant, Money(5_000, "NGN"), GatewayState.REVERSING)

    assert (attempt.payment.review_reason, attempt.reversed_at) == ("reversed", None)


def test_a_late_payment_that_was_reviewed_is_late_when_accepted(merchant, settings):
    settings.TILLGATE_LATE_PAYMENT = "review"
    attempt = in_review(merchant, Money(5_000, "NGN"), status="expired")

    payment = resolve_review(attempt.payment_id, "accept")

    assert (payment.status, payment.late) == ("completed", True)
