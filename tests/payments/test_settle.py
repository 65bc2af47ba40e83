"""What verified money does, for every status of a payment and every kind of money."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum

from tests.builders import make_attempt, make_attempt_in, make_payment_in, make_snapshot
from tillgate.events.models import Event
from tillgate.gateways.protocol import GatewayState
from tillgate.ledger.models import Entry
from tillgate.money import Money
from tillgate.payments.models import Surplus
from tillgate.payments.services.sync import apply_answer
from tillgate.payments.services.verify import violations, waiting_for_a_person
from tillgate.payments.states import UNSETTLED, AttemptStatus, PaymentStatus

SETTLED = [s for s in PaymentStatus if s not in (*UNSETTLED, PaymentStatus.CANCELED)]


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """Money that arrives for a payment of 50.00 NGN, and why it must not settle it, if so."""

    minor: int = 5_000
    currency: str = "NGN"
    state: GatewayState = GatewayState.SUCCEEDED
    more: dict[str, Any] = field(default_factory=dict)
    reason: str = ""


KINDS = {
    "match": Arrival(),
    "fee_on_customer": Arrival(minor=5_075, more={"requested": Money(5_000, "NGN")}),
    "fee_on_customer_requested_unsaid": Arrival(minor=5_075, more={"requested": None}),
    "no_fee_known": Arrival(more={"fee": None}),
    "under": Arrival(minor=4_999, reason="wrong_amount"),
    "over": Arrival(minor=5_001, reason="wrong_amount"),
    "over_by_more_than_the_fee": Arrival(minor=5_076, reason="wrong_amount"),
    "over_and_no_fee": Arrival(minor=5_075, more={"fee": None}, reason="wrong_amount"),
    "hundredfold": Arrival(minor=500_000, reason="wrong_amount"),
    "asked_for_less": Arrival(minor=4_000, more={"requested": Money(4_000, "NGN")}, reason="wrong_amount"),
    "right_sum_of_another_request": Arrival(more={"requested": Money(4_925, "NGN")}, reason="wrong_amount"),
    "wrong_currency": Arrival(
        currency="GHS", more={"requested": Money(5_000, "GHS"), "fee": None}, reason="wrong_currency"
    ),
    "reversed": Arrival(state=GatewayState.REVERSED, reason="reversed"),
}
CASES = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def arrive(attempt, kind, **more):
    amount = Money(kind.minor, kind.currency)
    apply_answer(attempt, make_snapshot(attempt, kind.state, **{"amount": amount, **kind.more, **more}))
    attempt.refresh_from_db()
    attempt.payment.refresh_from_db()


def ledger():
    """The balance of each account, zeros left out."""
    rows = Entry.objects.values_list("account", "currency").annotate(sum=Sum("amount_minor")).order_by()
    return {f"{account} {currency}": total for account, currency, total in rows if total}


def told(payment):
    return list(
        Event.objects.filter(subject=payment.reference).order_by("sequence").values_list("type", flat=True)
    )


@CASES
@pytest.mark.parametrize("status", sorted(UNSETTLED))
def test_g09_g10_money_for_an_unsettled_payment_completes_it_or_goes_to_review(merchant, status, kind):
    payment = make_payment_in(status, merchant, failure={"code": "declined"})
    attempt = make_attempt(payment)

    arrive(attempt, kind)

    payment = attempt.payment
    assert payment.status == ("review" if kind.reason else "completed")
    assert attempt.settles == (not kind.reason)
    assert payment.review_reason == kind.reason
    assert payment.received_minor == (kind.minor if kind.currency == "NGN" else 0)
    assert payment.late == (status == "expired" and not kind.reason)
    assert (payment.surplus_minor, payment.failure) == (0, None)
    other = "held" if kind.reason else "sales"
    assert ledger() == {f"gateway {kind.currency}": kind.minor, f"{other} {kind.currency}": -kind.minor}
    assert told(payment)[0] == f"payment.{payment.status}"
    assert list(violations()) == []


@CASES
def test_money_after_a_cancel_goes_to_review(merchant, kind):
    attempt = make_attempt(make_payment_in("canceled", merchant))

    arrive(attempt, kind)

    payment = attempt.payment
    assert (payment.status, payment.review_reason) == ("review", kind.reason or "paid_after_cancel")
    assert not attempt.settles
    assert ledger() == {f"gateway {kind.currency}": kind.minor, f"held {kind.currency}": -kind.minor}
    assert list(violations()) == []


@CASES
@pytest.mark.parametrize("status", SETTLED)
def test_g24_money_beyond_a_settled_payment_is_a_surplus(merchant, status, kind):
    payment = make_payment_in(status, merchant)
    make_attempt_in("succeeded", payment, settles=status != "review")
    second = make_attempt(payment, status="superseded")

    arrive(second, kind)

    payment, surplus = second.payment, Surplus.objects.get()
    assert payment.status == status
    assert (second.status, second.settles) == ("succeeded", False)
    assert (surplus.amount_minor, surplus.currency) == (kind.minor, kind.currency)
    assert payment.surplus_minor == (kind.minor if kind.currency == "NGN" else 0)
    assert payment.received_minor == 5_000
    assert ledger() == {f"gateway {kind.currency}": kind.minor, f"held {kind.currency}": -kind.minor}
    assert told(payment)[0] == "payment.surplus"


@CASES
@pytest.mark.parametrize("status", SETTLED)
def test_g24_a_second_transaction_of_the_same_attempt_is_a_surplus(merchant, status, kind):
    payment = make_payment_in(status, merchant)
    attempt = make_attempt_in("succeeded", payment, settles=status != "review")

    arrive(attempt, kind, gateway_id="second")

    assert attempt.payment.status == status
    assert Surplus.objects.get().gateway_id == "second"
    assert attempt.gateway_id != "second"
    assert ledger() == {f"gateway {kind.currency}": kind.minor, f"held {kind.currency}": -kind.minor}


@CASES
@pytest.mark.parametrize("status", [*sorted(UNSETTLED), "canceled"])
def test_w01_the_same_news_again_changes_nothing(merchant, status, kind):
    attempt = make_attempt(make_payment_in(status, merchant))
    arrive(attempt, kind)
    before, events, sequence = ledger(), told(attempt.payment), attempt.payment.sequence

    arrive(attempt, kind)

    assert (ledger(), told(attempt.payment), attempt.payment.sequence) == (before, events, sequence)
    assert not Surplus.objects.exists()


def test_the_same_surplus_again_changes_nothing(merchant):
    payment = make_payment_in("completed", merchant)
    attempt = make_attempt_in("succeeded", payment, settles=True)

    for _ in range(2):
        arrive(attempt, KINDS["match"], gateway_id="second")

    assert (attempt.payment.surplus_minor, attempt.payment.sequence) == (5_000, 2)


def test_two_surpluses_add_up(merchant):
    payment = make_payment_in("completed", merchant)
    attempt = make_attempt_in("succeeded", payment, settles=True)

    for number in ("second", "third"):
        arrive(attempt, KINDS["match"], gateway_id=number)

    assert attempt.payment.surplus_minor == 10_000
    assert told(payment) == ["payment.surplus", "payment.surplus"]


@pytest.mark.parametrize("status", [s for s in AttemptStatus if s not in ("created", "succeeded")])
def test_money_counts_whatever_we_thought_of_the_attempt(payment, status):
    attempt = make_attempt(payment, status=status)

    arrive(attempt, KINDS["match"])

    assert (attempt.status, attempt.payment.status) == ("succeeded", "completed")


@pytest.mark.parametrize(("setting", "status"), [("accept", "completed"), ("review", "review")])
def test_g25_late_money_follows_the_setting(merchant, settings, setting, status):
    settings.TILLGATE_LATE_PAYMENT = setting
    attempt = make_attempt(make_payment_in("expired", merchant))

    arrive(attempt, KINDS["match"])

    payment = attempt.payment
    assert (payment.status, payment.late) == (status, setting == "accept")
    assert payment.review_reason == ("paid_late" if setting == "review" else "")


def test_the_proof_of_a_settlement_is_stored_with_the_attempt(attempt):
    arrive(attempt, KINDS["fee_on_customer"], channel="bank")

    proof = (attempt.received_minor, attempt.received_currency, attempt.fee_minor, attempt.channel)
    assert proof == (5_075, "NGN", 75, "bank")
    assert attempt.verified_at is not None
    assert attempt.paid_at is not None
    assert attempt.payment.net_minor == 5_000


def test_g18_a_reversal_of_settled_money_is_told_once_and_unpays_nothing(merchant):
    attempt = make_attempt(make_payment_in("pending", merchant))
    arrive(attempt, KINDS["match"])

    for _ in range(2):
        arrive(attempt, KINDS["reversed"])

    assert attempt.payment.status == "completed"
    assert told(attempt.payment) == ["payment.completed", "payment.reversal_reported"]
    assert attempt.reversed_at is not None


def test_settling_is_six_statements(attempt, statements):
    snapshot = make_snapshot(attempt)

    with statements() as sent:
        apply_answer(attempt, snapshot)

    tables = [
        (sql.split()[0], next(w for w in sql.split() if "_" in w).strip('"').split('"')[0]) for sql in sent
    ]
    assert tables == [
        ("SELECT", "payments_payment"),
        ("SELECT", "payments_attempt"),
        ("UPDATE", "payments_attempt"),
        ("INSERT", "ledger_entry"),
        ("UPDATE", "payments_payment"),
        ("INSERT", "events_event"),
    ]


@pytest.mark.parametrize("broken_table", ["ledger_entry", "events_event"])
def test_a_settlement_is_stored_whole_or_not_at_all(attempt, broken_table):
    def refuse(execute, sql, params, many, context):
        if sql.startswith(f'INSERT INTO "{broken_table}"'):
            raise RuntimeError("the process dies here")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse), pytest.raises(RuntimeError):
        apply_answer(attempt, make_snapshot(attempt))

    attempt.refresh_from_db()
    attempt.payment.refresh_from_db()
    assert (attempt.status, attempt.payment.status) == ("pending", "pending")
    assert not Entry.objects.exists()


def test_a_gateway_that_contradicts_itself_is_told_to_a_person_once(attempt):
    apply_answer(attempt, make_snapshot(attempt))

    for _ in range(3):
        apply_answer(attempt, make_snapshot(attempt, amount=Money(500_000, "NGN"), requested=None))

    attempt.payment.refresh_from_db()
    assert len(list(waiting_for_a_person())) == 1
    assert (attempt.payment.status, attempt.payment.received_minor) == ("completed", 5_000)
    assert "another amount later (5000.00)" in next(waiting_for_a_person())
    assert list(violations()) == []
