"""Taking an account's owner out of its payments: the money stays, with all that is known of it."""

from django.db import connection

from tillgate.customers.services.erasing import Alias
from tillgate.payments.errors import NotInThisState
from tillgate.payments.models import Payment
from tillgate.payments.services.moves import note
from tillgate.payments.states import MethodSaving, PaymentStatus


def require_none_on_its_way(account_id: int) -> None:
    """Raise NotInThisState, which names the payment, while a gateway has money of an account on its way."""
    moving = Payment.objects.filter(account=account_id, status=PaymentStatus.PROCESSING).first()
    if moving is not None:
        raise NotInThisState(
            f"{moving.reference} is processing: its money is on its way. Try again when it has arrived.",
            code="payment_processing",
        )


def erase_payer(account_id: int, alias: Alias) -> list[str]:
    """Put `alias` in the payer's place in every payment of an account, and note it on their timelines;
    return their ids. A method that one of them may still leave is not kept.
    """
    assert connection.in_atomic_block, "a person is taken out as a whole"
    rows = Payment.objects.filter(account=account_id).order_by("pk")
    references = []
    for payment in rows.select_for_update().iterator():
        note(
            payment,
            "payment.erased",
            customer_name=alias.name,
            customer_email=alias.email,
            method_saving=MethodSaving.NO,
        )
        references.append(payment.reference)
    return references
