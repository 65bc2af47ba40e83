"""Taking a person out of what stays: the rows of money remain, and name nobody."""

from collections.abc import Iterable
from dataclasses import dataclass

from tillgate.common.references import new_token
from tillgate.customers.models import Consent, Customer, PaymentMethod

HOST = "@deleted.invalid"  # No mail is ever sent there: RFC 2606.


@dataclass(frozen=True, kw_only=True)
class Alias:
    """Who stands in rows in a person's place."""

    name: str
    email: str


def new_alias() -> Alias:
    """Return a neutral name and an address that is nobody's."""
    return Alias(name="Deleted customer", email=f"deleted-{new_token().lower()}{HOST}")


def is_erased(email: str) -> bool:
    """Say whether an address stands for somebody who was taken out."""
    return email.endswith(HOST)


def erase_customer(customer_id: int) -> None:
    """Take a person out of a customer's row; its methods are removed one by one."""
    alias = new_alias()  # Of its own: one merchant may know a person by two addresses.
    Customer.objects.filter(pk=customer_id).update(name=alias.name, email=alias.email)


def erase_method(method: PaymentMethod) -> None:
    """Keep of a removed method no more than that there was one."""
    gone = {"token": "", "signature": "", "charged_as": "", "brand": "", "last4": "", "expires_month": ""}
    PaymentMethod.objects.filter(pk=method.pk, removed_at__isnull=False).update(**gone)


def erase_consents(subjects: Iterable[str]) -> None:
    """Forget from where the payers of these payments agreed; that they did, and to what, stays."""
    Consent.objects.filter(subject__in=list(subjects)).update(address=None)
