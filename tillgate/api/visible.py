"""What a caller may see: with a key the merchant's own; without one, whoever holds the unguessable id."""

from django.db.models import Prefetch, Q, prefetch_related_objects

from tillgate.api.authentication import Caller
from tillgate.common.errors import NotFound
from tillgate.common.references import is_reference
from tillgate.customers.models import PaymentMethod
from tillgate.payments.models import Dispute, Payment, Refund, Surplus
from tillgate.payments.services.find import find_payment
from tillgate.payments.states import PaymentStatus
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.states import CycleStatus

METHOD = "payment_method__customer"


def find_visible(reference: str, caller: Caller) -> Payment:
    """Return the payment of this public id. Raises NotFound where the caller may not see it."""
    payment = None
    if is_reference(reference, "PAY") and caller.has_key:
        own = Payment.objects.for_merchant(caller.merchant, caller.mode)
        payment = own.filter(reference=reference).first()
    elif is_reference(reference, "PAY"):
        payment = find_payment(reference)
    if payment is None:
        raise NotFound(f"There is no payment {reference[:40]!r} that you may see.")
    return payment


def find_refund(reference: str, caller: Caller) -> Refund:
    """Return a refund of one of the merchant's payments, as `find_visible` does."""
    own = Refund.objects.filter(payment__merchant=caller.merchant, payment__mode=caller.mode)
    rows = own.select_related("payment", "surplus", "attempt")
    found = rows.filter(reference=reference).first() if is_reference(reference, "REF") else None
    if found is None:
        raise NotFound(f"There is no refund {reference[:40]!r} that you may see.")
    return found


def find_surplus(payment: Payment, reference: str) -> Surplus:
    """Return a surplus of a payment that the caller may see."""
    rows = payment.surpluses.select_related("attempt")
    found = rows.filter(reference=reference).first() if is_reference(reference, "SUR") else None
    if found is None:
        raise NotFound(f"{payment.reference} has no surplus {reference[:40]!r}.")
    return found


def find_dispute(payment: Payment, reference: str) -> Dispute:
    """Return a dispute of a payment that the caller may see."""
    rows = payment.disputes.select_related("attempt")
    found = rows.filter(reference=reference).first() if is_reference(reference, "DIS") else None
    if found is None:
        raise NotFound(f"{payment.reference} has no dispute {reference[:40]!r}.")
    return found


def find_subscription(reference: str, caller: Caller) -> Subscription:
    """Return one of the merchant's subscriptions, with its saved method."""
    own = Subscription.objects.for_merchant(caller.merchant, caller.mode).select_related(METHOD)
    found = own.filter(reference=reference).first() if is_reference(reference, "SUB") else None
    if found is None:
        raise NotFound(f"There is no subscription {reference[:40]!r} that you may see.")
    return found


def find_method(reference: str, caller: Caller) -> PaymentMethod | None:
    """Return a saved method of one of the merchant's customers, also one that was removed."""
    own = PaymentMethod.objects.for_merchant(caller.merchant, caller.mode).select_related("customer")
    return own.filter(reference=reference).first() if is_reference(reference, "PM") else None


def current_cycles(subscriptions: list[Subscription]) -> dict[int, list[Cycle]]:
    """Read, in one statement, the first cycle of each subscription, and those that are not paid."""
    flying = Q(status=CycleStatus.UNPAID, payment__status=PaymentStatus.PROCESSING)
    wanted = Q(index=0) | Q(status=CycleStatus.OPEN) | flying
    cycles = Cycle.objects.filter(wanted, subscription__in=[s.pk for s in subscriptions])
    found: dict[int, list[Cycle]] = {subscription.pk: [] for subscription in subscriptions}
    for cycle in cycles.select_related("payment").order_by("index"):
        found[cycle.subscription_id].append(cycle)
    return found


def load_incidents(payments: list[Payment]) -> None:
    """Read the surpluses and disputes of those payments that have any: three statements, or none."""
    with_incidents = [payment for payment in payments if payment.has_incidents]
    disputes = Prefetch("disputes", Dispute.objects.select_related("attempt"))
    prefetch_related_objects(with_incidents, "surpluses__refunds", disputes)
