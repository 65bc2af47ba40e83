"""`./run resolve-charge ATT-… --made ID` or `--not-made`: what a person saw in the gateway's dashboard."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from tillgate.gateways.errors import GatewayError
from tillgate.gateways.registry import GATEWAYS
from tillgate.merchants.services.audit import by_command, record
from tillgate.payments.errors import NotInThisState
from tillgate.payments.models import Attempt
from tillgate.payments.services.charges import confirm_lost, resolve_lost


class Command(BaseCommand):
    help = "Decide about a charge without an answer that verify-ledger lists: is it in the dashboard, or not?"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("reference", help="the attempt, as ATT-…")
        parser.add_argument(
            "--gateway",
            choices=list(GATEWAYS),
            default="",
            help="after a restoration: where it was made, when by another gateway",
        )
        seen = parser.add_mutually_exclusive_group(required=True)
        seen.add_argument("--made", metavar="ID", help="the gateway's id of it, which it must confirm")
        seen.add_argument(
            "--not-made",
            action="store_true",
            help="neither it is there nor, after a restoration, a later try for the same (SUB-…-5-1, -2, …): "
            "it may be charged anew",
        )

    def handle(self, *args: Any, reference: str, made: str | None, **options: Any) -> None:
        attempt = Attempt.objects.filter(reference=reference).first()
        if attempt is None:
            raise CommandError(f"There is no attempt {reference!r}; verify-ledger lists those to look at.")
        try:
            if made:
                attempt = confirm_lost(attempt.pk, made, gateway=options["gateway"])
            else:
                attempt = resolve_lost(attempt.pk)
        except NotInThisState as error:
            raise CommandError(error.message) from error
        except GatewayError as error:
            raise CommandError(f"The gateway does not say: {error}") from error
        payment = attempt.payment
        with transaction.atomic():  # Not with what was done: that asks the gateway.
            told = {"payment": payment.reference, "mode": payment.mode, "made": made is not None}
            record(by_command("resolve-charge"), payment.merchant, "charge.resolved", reference, told)
        next_step = "The gateway confirms it." if made else "What is still due is charged anew."
        self.stdout.write(f"{reference} is {attempt.status}. {next_step}")
