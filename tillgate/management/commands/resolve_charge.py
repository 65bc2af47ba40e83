"""`./run resolve-charge ATT-… --not-made`: what a person saw in the gateway's dashboard."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from tillgate.gateways.errors import GatewayError
from tillgate.merchants.services.audit import by_command, record
from tillgate.payments.errors import NotInThisState
from tillgate.payments.models import Attempt
from tillgate.payments.services.charges import resolve_lost


class Command(BaseCommand):
    help = "Decide about a charge without an answer that verify-ledger lists: it is not in the dashboard."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("reference", help="the attempt, as ATT-…")
        parser.add_argument(
            "--not-made", action="store_true", required=True, help="the gateway's dashboard does not have it"
        )

    def handle(self, *args: Any, reference: str, **options: Any) -> None:
        attempt = Attempt.objects.filter(reference=reference).first()
        if attempt is None:
            raise CommandError(f"There is no attempt {reference!r}; verify-ledger lists those to look at.")
        try:
            attempt = resolve_lost(attempt.pk)
        except NotInThisState as error:
            raise CommandError(error.message) from error
        except GatewayError as error:
            raise CommandError(f"The gateway does not say: {error}") from error
        payment = attempt.payment
        with transaction.atomic():  # Not with what was done: that asks the gateway.
            told = {"payment": payment.reference, "mode": payment.mode}
            record(by_command("resolve-charge"), payment.merchant, "charge.resolved", reference, told)
        self.stdout.write(f"{reference} is {attempt.status}. What is still due is charged anew.")
