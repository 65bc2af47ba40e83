"""A person has seen money at the gateway under a reference of ours for which there is no attempt: it was paid
after the backup that was restored."""

from django.db import transaction

from tillgate.common import clock
from tillgate.common.references import is_reference, new_reference
from tillgate.gateways.protocol import GatewayState
from tillgate.payments.errors import NotInThisState
from tillgate.payments.models import Attempt, Payment
from tillgate.payments.services.moves import lock_payment, note
from tillgate.payments.services.sync import ask, gateway_of
from tillgate.payments.states import UNSETTLED, AttemptStatus


def adopt_attempt(payment: Payment, gateway: str, gateway_reference: str, *, gateway_id: str = "") -> Attempt:
    """Let an attempt of the lost installation be one of this payment, and ask the gateway about it as ever.

    What it says is held against the payment as any answer is: amount, currency, account, mode. `gateway_id`
    is what a gateway has to be asked by that cannot be asked by our reference. Raises NotInThisState where
    the reference is none of ours, is known already, or the gateway does not know it; a GatewayError when it
    gives no usable answer.
    """
    attempt = Attempt(
        reference=new_reference("ATT"),
        payment=payment,
        gateway=gateway,
        mode=payment.mode,
        status=AttemptStatus.UNKNOWN,
        initiated_by="customer",
        gateway_reference=gateway_reference,
        created_at=clock.now(),
    )
    _require_adoptable(attempt)
    api = gateway_of(attempt)
    found = api.fetch_transaction(gateway_id) if gateway_id else api.fetch_payment(attempt.ref)
    if found.state == GatewayState.ABSENT or found.gateway_reference != gateway_reference:
        raise NotInThisState(f"{gateway} knows no payment {gateway_reference}.")
    _store(attempt)
    ask(attempt.pk, gateway_id=gateway_id or None)
    attempt.refresh_from_db()
    return attempt


def _require_adoptable(attempt: Attempt) -> None:
    if not is_reference(attempt.gateway_reference, "ATT"):
        raise NotInThisState(
            f"{attempt.gateway_reference!r} is no reference of ours, which begins with ATT-."
        )
    if Attempt.objects.filter(gateway=attempt.gateway, gateway_reference=attempt.gateway_reference).exists():
        raise NotInThisState(f"{attempt.gateway_reference} is known: look at its payment.")
    if attempt.payment.status not in UNSETTLED:
        raise NotInThisState(f"{attempt.payment.reference} is {attempt.payment.status}: it wants no money.")


@transaction.atomic
def _store(attempt: Attempt) -> None:
    from tillgate.payments.jobs import ask_gateway  # The job calls a module that this one imports.

    payment = lock_payment(attempt.payment_id)
    attempt.save(force_insert=True)
    told: dict[str, object] = {"attempt": attempt.reference, "gateway": attempt.gateway, "adopted": True}
    note(payment, "attempt.created", told, gateway=attempt.gateway, asked_at=clock.now())
    ask_gateway.using(unique_key=attempt.question_key).enqueue(attempt.pk, attempt.questions)
