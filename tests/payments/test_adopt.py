"""Money that only the gateway knows of, after a restoration, is brought to the payment that wanted it."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.builders import make_attempt, make_payment, make_payment_in, make_snapshot
from tillgate.common import clock, restoration
from tillgate.common.models import Restoration
from tillgate.gateways.errors import GatewayUnknown
from tillgate.gateways.protocol import GatewayState, PaymentSnapshot
from tillgate.merchants.models import AuditEntry
from tillgate.money import Money
from tillgate.payments.services.sync import apply_answer
from tillgate.payments.services.verify import violations

LOST = "ATT-7Q2WBNC29XCWXJN3041SM72N47"


def said(state=GatewayState.SUCCEEDED, reference=LOST, minor=5_000):
    return PaymentSnapshot(
        state=state,
        gateway_reference=reference,
        gateway_id="5000000009",
        mode="test",
        amount=Money(minor, "NGN"),
        channel="card",
    )


def adopt(payment, *more, reference=LOST):
    out = StringIO()
    words = [payment.reference, "--gateway", "paystack", "--reference", reference, *more]
    call_command("adopt_attempt", *words, stdout=out)
    payment.refresh_from_db()
    return out.getvalue()


@pytest.fixture
def payment(merchant):
    return make_payment(merchant)


def test_what_the_gateway_confirms_completes_the_payment(payment, gateway):
    gateway.says("fetch_payment", said())

    assert f"{payment.reference} is completed" in adopt(payment)

    [attempt] = payment.attempts.all()
    assert (attempt.gateway_reference, attempt.settles) == (LOST, True)
    assert list(violations()) == []
    assert AuditEntry.objects.get().action == "attempt.adopted"


def test_it_is_as_old_as_the_gap_so_that_what_went_back_of_it_is_looked_for(payment, gateway):
    gateway.says("fetch_payment", said())
    now = clock.now()
    for days, stopped in ((9, 8), (3, 2), (1, 1)):  # The last was a move: nobody ran on.
        backed_up_at, ran_until = now - timedelta(days=days), now - timedelta(days=stopped)
        Restoration.objects.create(backed_up_at=backed_up_at, ran_until=ran_until, released_at=now)
    restoration.forget()

    adopt(payment)

    assert payment.attempts.get().created_at == now - timedelta(days=9)


def test_another_amount_goes_to_a_person(payment, gateway):
    gateway.says("fetch_payment", said(minor=4_900))

    adopt(payment)

    assert payment.status == "review"


def test_a_gateway_that_has_to_be_asked_by_its_own_name_is(payment, gateway):
    gateway.says("fetch_transaction", said())
    gateway.says("fetch_payment", said())

    adopt(payment, "--id", "5000000009")

    assert payment.status == "completed"
    assert gateway.called("fetch_transaction") == 1


@pytest.mark.parametrize(
    "answer", [said(GatewayState.ABSENT), said(reference="ATT-00000000000000000000000000")]
)
def test_what_the_gateway_does_not_know_by_that_name_is_not_taken(payment, gateway, answer):
    gateway.says("fetch_payment", answer)

    with pytest.raises(CommandError, match="knows no payment"):
        adopt(payment)

    assert payment.attempts.count() == 0


@pytest.mark.parametrize("reference", ["T-1", "SUB-X-1-1", "", "ATT-short"])
def test_only_a_reference_of_ours_is_taken(payment, gateway, reference):
    with pytest.raises(CommandError, match="no reference of ours"):
        adopt(payment, reference=reference)


def test_what_is_known_is_not_taken_twice(merchant, payment, gateway):
    other = make_attempt(make_payment(merchant))

    with pytest.raises(CommandError, match="is known"):
        adopt(payment, reference=other.gateway_reference)


def test_a_payment_that_wants_no_money_gets_none(merchant, gateway):
    done = make_payment_in("completed", merchant)

    with pytest.raises(CommandError, match="wants no money"):
        adopt(done)


def test_a_payment_that_is_paid_while_the_gateway_is_asked_gets_no_second_money(payment, gateway):
    def answer(ref):
        attempt = make_attempt(payment)
        apply_answer(attempt, make_snapshot(attempt))
        return said()

    gateway.says("fetch_payment", answer)

    with pytest.raises(CommandError, match="is completed: it wants no money"):
        adopt(payment)

    assert payment.attempts.count() == 1


def test_a_silent_gateway_changes_nothing(payment, gateway):
    gateway.says("fetch_payment", GatewayUnknown("no answer"))

    with pytest.raises(CommandError, match="does not say"):
        adopt(payment)

    assert payment.attempts.count() == 0


def test_a_payment_that_is_not_is_told(merchant):
    with pytest.raises(CommandError, match="There is no payment"):
        call_command("adopt_attempt", "PAY-none", "--gateway", "paystack", "--reference", LOST)
