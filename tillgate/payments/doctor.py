"""Whether money waits for somebody, and whether saved methods can be charged."""

from collections.abc import Iterator

from tillgate.common.doctor import Finding, examination, secrets_open, waiting
from tillgate.customers.models import PaymentMethod
from tillgate.payments.services import verify

FEW = 50


@examination("money", within_s=15)
def money() -> Iterator[Finding]:
    """What no machine will finish."""
    yield from waiting(verify.waiting_for_a_person(), of="payments, refunds and disputes")


@examination("keys")
def saved_methods() -> Iterator[Finding]:
    """Whether the encryption keys open saved methods: the newest, and the oldest, which a change of keys may
    have left behind."""
    tokens = PaymentMethod.objects.usable().values_list("token", flat=True)
    yield from secrets_open("saved methods", [*tokens.order_by("pk")[:FEW], *tokens.order_by("-pk")[:FEW]])
