"""`./run revoke-key PREFIX`: end a key that has leaked or is no longer used."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from tillgate.management.keys import keys_in_use
from tillgate.merchants.services.audit import by_command, record
from tillgate.merchants.services.keys import revoke_key


class Command(BaseCommand):
    help = "Revoke the key that begins with these characters; requests with it are refused at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prefix", help="at least the first 12 characters of the key, or its id, KEY-…")

    def handle(self, *args: Any, prefix: str, **options: Any) -> None:
        found = keys_in_use(prefix)
        for key in found:
            with transaction.atomic():
                revoke_key(key)
                told = {"key": key.prefix, "mode": key.mode}
                record(by_command("revoke-key"), key.merchant, "key.revoked", key.reference, told)
        self.stdout.write(f"{len(found)} key revoked.")
