"""A person has seen money at the gateway under a reference of ours for which there is no attempt: it was paid
after the backup that was restored."""

import re

from django.db import transaction

from tillgate.common import clock, restoration
from tillgate.common.references import is_reference, new_reference
from tillgate.gateways.protocol import GatewayState, PaymentSnapshot
from tillgate.payments.errors import NotInThisState
from tillgate.payments.models import Attempt, Payment
from tillgate.payments.services.moves import lock_payment, note
from tillgate.payments.services.sync import apply_answer, gateway_of, ours
from tillgate.payments.states import UNSETTLED, AttemptStatus


def adopt_attempt(
    payment: Payment, gateway: str, gateway_reference: str, *, gateway_id: str = "", charge_prefix: str = ""
) -> Attempt:
    """Let an attempt of the lost installation be one of this payment, and apply what the gateway says of it.

    That is held against the payment as any answer is: amount, currency, account, mode. `gateway_id`
    is what a gateway has to be asked by that cannot be asked by our reference; `charge_prefix` what the names
    of our own charges for this payment begin with. Raises NotInThisState where the reference is none of ours,
    is known already, or the gateway does not know it; a GatewayError when it gives no usable answer.
    """
    of_a_charge = rf"{re.escape(charge_prefix)}[1-9]\d?"
    is_charge = charge_prefix and re.fullmatch(of_a_charge, gateway_reference, re.ASCII)
    attempt = Attempt(
        reference=new_reference("ATT"),
        payment=payment,
        gateway=gateway,
        mode=payment.mode,
        status=AttemptStatus.UNKNOWN,
        initiated_by="merchant" if is_charge else "customer",
        gateway_reference=gateway_reference,
        # It was made since: what went back of it meanwhile is looked for from then on.
        created_at=restoration.began_at() or clock.now(),
    )
    _require_adoptable(attempt)
    api = gateway_of(attempt)
    found = api.fetch_transaction(gateway_id) if gateway_id else api.fetch_payment(attempt.ref)
    if found.state == GatewayState.ABSENT or found.gateway_reference != gateway_reference:
        raise NotInThisState(f"{gateway} knows no payment {gateway_reference}.")
    _store(attempt, ours(found, attempt))
    attempt.refresh_from_db()
    return attempt


def _require_adoptable(attempt: Attempt) -> None:
    is_charge = attempt.initiated_by == "merchant"
    if not is_charge and not is_reference(attempt.gateway_reference, "ATT"):
        raise NotInThisState(
            f"{attempt.gateway_reference!r} is no reference of ours for {attempt.payment.reference}: those "
            "of customers begin with ATT-, those of its own charges with SUB- and its due date's number."
        )
    if Attempt.objects.filter(gateway=attempt.gateway, gateway_reference=attempt.gateway_reference).exists():
        raise NotInThisState(f"{attempt.gateway_reference} is known: look at its payment.")
    waiting = Attempt.objects.open().filter(payment=attempt.payment, initiated_by="merchant").first()
    if is_charge and waiting is not None:
        raise NotInThisState(f"{waiting.reference} waits for it: ./run resolve-charge {waiting.reference}.")
    if not is_charge and attempt.payment.status not in UNSETTLED:
        raise NotInThisState(f"{attempt.payment.reference} is {attempt.payment.status}: it wants no money.")


@transaction.atomic
def _store(attempt: Attempt, answer: PaymentSnapshot) -> None:
    """With the answer, so that nobody charges for the same in between."""
    payment = lock_payment(attempt.payment_id)
    attempt.payment = payment  # As it is now, after the gateway was asked.
    _require_adoptable(attempt)
    attempt.save(force_insert=True)
    told: dict[str, object] = {"attempt": attempt.reference, "gateway": attempt.gateway, "adopted": True}
    note(payment, "attempt.created", told, gateway=attempt.gateway, asked_at=clock.now())
    apply_answer(attempt, answer)
