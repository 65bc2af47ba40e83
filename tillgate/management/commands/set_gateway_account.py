"""`./run set-gateway-account paystack`: where a business is paid. No secret stands on the command line.

They are read from the environment, by the settings' names with MERCHANT_ before them (the names alone are the
installation's own), or asked for.
"""

import getpass
import sys
from argparse import ArgumentParser
from typing import Any, NamedTuple

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from environ.fileaware_mapping import FileAwareMapping

from tillgate.common.errors import PayError
from tillgate.gateways.protocol import Mode
from tillgate.gateways.registry import GATEWAYS
from tillgate.management.whose import add_merchant_option, chosen_merchant
from tillgate.merchants.models import Merchant, StoredAccount
from tillgate.merchants.services.accounts import is_used
from tillgate.merchants.services.audit import by_command, record
from tillgate.merchants.services.stored_accounts import add_account
from tillgate.payments.services.at_account import give_other_secrets

WITH = "MERCHANT_"


class _Account(NamedTuple):
    merchant: Merchant
    gateway: str
    mode: Mode


class Command(BaseCommand):
    help = "Store a business's own account at a gateway, or give it other secrets."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("gateway", choices=list(GATEWAYS))
        parser.add_argument("--mode", choices=["test", "live"], default="test")
        parser.add_argument(
            "--same-account",
            action="store_true",
            help="the secrets are of the same account at the gateway, by which money is on its way",
        )
        add_merchant_option(parser)

    def handle(self, *args: Any, gateway: str, mode: Mode, **options: Any) -> None:
        merchant = chosen_merchant(options["merchant"])
        secrets = {name: _secret(name) for name in GATEWAYS[gateway].secrets}
        try:
            row = _store(_Account(merchant, gateway, mode), secrets, same_account=options["same_account"])
        except PayError as error:
            wrong = [text for texts in error.errors.values() for text in texts]
            raise CommandError("\n".join(wrong or [error.message])) from None
        self.stdout.write(f"{row.reference}: {merchant.name} is paid at {row}.")
        if row.former_secrets:
            self.stdout.write("Events signed with the former secrets are heard until you forget those.")
        if not is_used(row):
            self.stdout.write(
                "The environment's account of this gateway and mode comes first while it is set."
            )


@transaction.atomic
def _store(wanted: _Account, secrets: dict[str, str], *, same_account: bool) -> StoredAccount:
    known = StoredAccount.objects.filter(**wanted._asdict()).select_related("merchant").first()
    if known:
        row = give_other_secrets(known, secrets, same_account=same_account)
    else:
        row = add_account(*wanted, secrets)
    done = "secrets_replaced" if known else "created"
    record(by_command("set-gateway-account"), wanted.merchant, f"gateway_account.{done}", row.reference)
    return row


def _secret(name: str) -> str:
    if given := FileAwareMapping(cache=False).get(f"{WITH}{name}", ""):
        return str(given)
    if not sys.stdin.isatty():
        raise CommandError(f"Set {WITH}{name} (or {WITH}{name}_FILE), or call this from a terminal.")
    return getpass.getpass(f"{name}: ")
