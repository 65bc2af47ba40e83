"""Taking an account's owner out of its recurring payments, which are stopped, and forgetting what they were
paid with."""

from django.db import connection
from django.db.models import QuerySet

from tillgate.customers.models import PaymentMethod
from tillgate.customers.services.erasing import Alias, erase_customer
from tillgate.customers.services.methods import remove_method
from tillgate.payments.models import Attempt
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.services.moves import lock_subscription, note
from tillgate.subscriptions.services.stop import cancel_subscription
from tillgate.subscriptions.states import LIVE

BY_CUSTOMER = "customer"


def stop_all(account_id: int) -> None:
    """Stop every recurring payment of an account, as its owner could one by one."""
    live = Subscription.objects.filter(account=account_id, status__in=LIVE).order_by("pk")
    for pk in list(live.values_list("pk", flat=True)):
        cancel_subscription(pk, reason=BY_CUSTOMER)


def erase_subscriber(account_id: int, alias: Alias) -> list[str]:
    """Put `alias` in the customer's place in every recurring payment of an account; return their ids."""
    assert connection.in_atomic_block, "a person is taken out as a whole"
    references = []
    for pk in list(
        Subscription.objects.filter(account=account_id).order_by("pk").values_list("pk", flat=True)
    ):
        subscription = lock_subscription(pk)
        note(subscription, "subscription.erased", customer_name=alias.name, customer_email=alias.email)
        references.append(subscription.reference)
    return references


def erase_methods(account_id: int) -> None:
    """Remove what an account was charged by, and take its owner out of the customers whose it is.

    A method that others than the account's payments were made by, under the same address at the same
    merchant, may be another person's: it stays, and so does its customer.
    """
    assert connection.in_atomic_block, "a person is taken out as a whole"
    charged = Attempt.objects.filter(payment__account=account_id, payment_method__isnull=False)
    own = Subscription.objects.filter(account=account_id, payment_method__isnull=False)
    mine = _methods(charged) | _methods(own)
    customers = set(PaymentMethod.objects.filter(pk__in=mine).values_list("customer_id", flat=True))
    every = PaymentMethod.objects.filter(customer__in=customers)
    of_others = _methods(
        Attempt.objects.filter(payment_method__in=every).exclude(payment__account=account_id)
    )
    of_others |= _methods(Subscription.objects.filter(payment_method__in=every).exclude(account=account_id))
    kept = set(every.filter(pk__in=of_others).values_list("customer_id", flat=True))
    for customer in sorted(customers - kept):
        erase_customer(customer)
    for method in every.exclude(pk__in=of_others).order_by("pk"):
        if method.pk in mine or method.customer_id not in kept:
            remove_method(method.pk, erase=True)


def _methods(rows: QuerySet[Attempt] | QuerySet[Subscription]) -> set[int]:
    return set(rows.values_list("payment_method_id", flat=True))
