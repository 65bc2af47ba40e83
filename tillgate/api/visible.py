"""What a caller may see: with a key the merchant's own; without one, whoever holds the unguessable id."""

from typing import TypeVar

from django.db.models import Prefetch, QuerySet, prefetch_related_objects

from tillgate.api.caller import Caller
from tillgate.common.errors import NotFound
from tillgate.common.references import is_reference
from tillgate.customers.models import PaymentMethod, PaymentMethodQuerySet
from tillgate.merchants.models import ApiKey, Approval, Membership, User
from tillgate.payments.models import Dispute, Payment, PaymentQuerySet, Refund, Surplus
from tillgate.payments.services.find import find_payment
from tillgate.subscriptions.models import Subscription, SubscriptionQuerySet

METHOD = "payment_method__customer"
Rows = TypeVar("Rows", PaymentQuerySet, SubscriptionQuerySet, PaymentMethodQuerySet)


def own_payments(caller: Caller) -> PaymentQuerySet:
    """Return the payments that a key of the merchant, or somebody of its staff, may see."""
    return _seen(Payment.objects.for_merchant(caller.merchant, caller.mode), caller)


def own_subscriptions(caller: Caller) -> SubscriptionQuerySet:
    """Return the subscriptions that they may see, as `own_payments` does."""
    return _seen(Subscription.objects.for_merchant(caller.merchant, caller.mode), caller)


def find_visible(reference: str, caller: Caller) -> Payment:
    """Return the payment of this public id. Raises NotFound where the caller may not see it."""
    payment = None
    if is_reference(reference, "PAY") and (caller.is_merchant or caller.key):
        payment = own_payments(caller).filter(reference=reference).first()
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
    own = own_subscriptions(caller).select_related(METHOD)
    found = own.filter(reference=reference).first() if is_reference(reference, "SUB") else None
    if found is None:
        raise NotFound(f"There is no subscription {reference[:40]!r} that you may see.")
    return found


def find_method(reference: str, caller: Caller) -> PaymentMethod | None:
    """Return a saved method of one of the merchant's customers, also one that was removed."""
    own = _seen(PaymentMethod.objects.for_merchant(caller.merchant, caller.mode), caller)
    rows = own.select_related("customer")
    return rows.filter(reference=reference).first() if is_reference(reference, "PM") else None


def own_keys(caller: Caller) -> QuerySet[ApiKey]:
    """Return the merchant's keys: to a key those of its own mode, to a person all."""
    own = ApiKey.objects.filter(merchant=caller.merchant)
    return own if caller.key is None else own.filter(mode=caller.mode)


def find_key(reference: str, caller: Caller) -> ApiKey:
    """Return one of the keys that the caller may see."""
    found = own_keys(caller).filter(reference=reference).first() if is_reference(reference, "KEY") else None
    if found is None:
        raise NotFound(f"There is no key {reference[:40]!r} that you may see.")
    return found


def find_membership(reference: str, caller: Caller) -> Membership:
    """Return what somebody is to the merchant."""
    own = Membership.objects.filter(merchant=caller.merchant).select_related("user")
    found = own.filter(reference=reference).first() if is_reference(reference, "STF") else None
    if found is None:
        raise NotFound(f"Nobody works here as {reference[:40]!r}.")
    return found


def find_own_membership(reference: str, user: User) -> Membership:
    """Return what somebody is to a merchant, or is invited to be, for themselves."""
    own = Membership.objects.filter(user=user).select_related("merchant")
    found = own.filter(reference=reference).first() if is_reference(reference, "STF") else None
    if found is None:
        raise NotFound(f"You have no membership or invitation {reference[:40]!r}.")
    return found


def find_approval(reference: str, caller: Caller) -> Approval:
    """Return one of the merchant's requests for a second person."""
    own = Approval.objects.filter(merchant=caller.merchant, mode=caller.mode)
    rows = own.select_related("requested_by", "decided_by")
    found = rows.filter(reference=reference).first() if is_reference(reference, "APR") else None
    if found is None:
        raise NotFound(f"There is no approval {reference[:40]!r} that you may see.")
    return found


def load_incidents(payments: list[Payment]) -> None:
    """Read the surpluses and disputes of those payments that have any: three statements, or none."""
    with_incidents = [payment for payment in payments if payment.has_incidents]
    disputes = Prefetch("disputes", Dispute.objects.select_related("attempt"))
    prefetch_related_objects(with_incidents, "surpluses__refunds", disputes)


def _seen(rows: Rows, caller: Caller) -> Rows:
    """Who sees only today sees, and may act on, what was created today."""
    return rows if caller.sees_since is None else rows.filter(created_at__gte=caller.sees_since)
