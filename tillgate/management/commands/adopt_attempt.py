"""`./run adopt-attempt PAY-… --gateway paystack --reference ATT-…` (or SUB-…): only the gateway knows it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from tillgate.gateways.errors import GatewayError
from tillgate.gateways.registry import GATEWAYS
from tillgate.merchants.services.audit import by_command, record
from tillgate.payments.errors import NotInThisState
from tillgate.payments.models import Payment
from tillgate.payments.services.adopt import adopt_attempt
from tillgate.subscriptions.models import Subscription
from tillgate.subscriptions.services.change import payment_to_make
from tillgate.subscriptions.services.charge import charge_prefix


class Command(BaseCommand):
    help = "After a restoration: what the dashboard shows under ATT-… or SUB-… was paid for this payment."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "payment",
            help="what it was made for: PAY-…, or SUB-… whose next payment it was and which is not here",
        )
        parser.add_argument("--gateway", required=True, choices=list(GATEWAYS))
        parser.add_argument("--reference", required=True, help="ours, as the dashboard shows it")
        parser.add_argument("--id", default="", help="PayPal's own id of the payment (capture)")

    def handle(self, *args: Any, payment: str, gateway: str, reference: str, **options: Any) -> None:
        row = _wanted(payment)
        try:
            attempt = adopt_attempt(
                row, gateway, reference, gateway_id=options["id"], charge_prefix=charge_prefix(row)
            )
        except NotInThisState as error:
            raise CommandError(error.message) from error
        except GatewayError as error:
            raise CommandError(f"The gateway does not say: {error}") from error
        row.refresh_from_db()
        with transaction.atomic():  # Not with what was done: that asks the gateway.
            told = {"attempt": attempt.reference, "gateway": gateway, "mode": row.mode}
            record(by_command("adopt-attempt"), row.merchant, "attempt.adopted", row.reference, told)
        self.stdout.write(f"{attempt.reference} is {attempt.status}; {row.reference} is {row.status}.")


def _wanted(reference: str) -> Payment:
    """Return the payment of that name, or the one that a subscription is owed, or wants next."""
    subscription = Subscription.objects.filter(reference=reference).first()
    if subscription is None:
        row = Payment.objects.filter(reference=reference).first()
        if row is None:
            raise CommandError(f"There is no payment {reference!r}.")
        return row
    wanted = payment_to_make(subscription.pk)
    if wanted is None:
        raise CommandError(f"{reference} is {subscription.status} and wants no money now: name the payment.")
    return wanted
