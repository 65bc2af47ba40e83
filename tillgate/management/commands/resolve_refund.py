"""`./run resolve-refund REF-… --made ID` or `--not-made`: what a person saw in the gateway's dashboard."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from tillgate.gateways.errors import GatewayError
from tillgate.merchants.services.audit import by_command, record
from tillgate.payments.errors import NotInThisState
from tillgate.payments.models import Refund
from tillgate.payments.services.refund_calls import resolve_parked


class Command(BaseCommand):
    help = "Decide about a refund that verify-ledger lists: is it in the gateway's dashboard, or not?"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("reference", help="the refund, as REF-…")
        seen = parser.add_mutually_exclusive_group(required=True)
        seen.add_argument("--made", metavar="ID", help="the gateway's id of it, which it must confirm")
        seen.add_argument("--not-made", action="store_true", help="it is not there: the refund has failed")

    def handle(self, *args: Any, reference: str, made: str | None, **options: Any) -> None:
        refund = Refund.objects.filter(reference=reference).first()
        if refund is None:
            raise CommandError(f"There is no refund {reference!r}; verify-ledger lists those to look at.")
        try:
            refund = resolve_parked(refund, made_as=made)
        except NotInThisState as error:
            raise CommandError(error.message) from error
        except GatewayError as error:
            raise CommandError(f"The gateway does not confirm it: {error}") from error
        told = {"mode": refund.payment.mode, "made": made is not None}
        with transaction.atomic():  # Not with what was done: that asks the gateway.
            record(by_command("resolve-refund"), refund.payment.merchant, "refund.resolved", reference, told)
        next_step = "The gateway confirms it." if made else "It can be refunded anew."
        self.stdout.write(f"{reference} is {refund.status}. {next_step}")
