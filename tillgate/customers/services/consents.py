"""What a payer agreed to before their method was saved."""

from dataclasses import dataclass

from tillgate.common import clock
from tillgate.customers.models import Consent


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """What was agreed to: the words that were read, how it was said (`checkout`, `account`), from where."""

    text: str
    text_version: str
    given_by: str
    address: str | None = None


def give_consent(subject: str, agreement: Agreement) -> Consent:
    """Store that the payer agreed to `subject`. The first time counts: a repeat returns it."""
    consent, _ = Consent.objects.get_or_create(
        subject=subject,
        defaults={
            "text": agreement.text,
            "text_version": agreement.text_version,
            "given_by": agreement.given_by,
            "address": agreement.address,
            "given_at": clock.now(),
        },
    )
    return consent


def has_consented(subject: str) -> bool:
    """Say whether the payer of the payment `subject` let its method be charged again, by the tick."""
    return Consent.objects.filter(subject=subject).exists()


def has_agreed_signed_in(subscription: str) -> bool:
    """Say whether whoever set up this subscription agreed to it under their own login."""
    return Consent.objects.filter(subject=subscription, given_by="account").exists()
