"""`./run revoke-key PREFIX`: end a secret key that has leaked or is no longer used."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tillgate.merchants.services.keys import revoke_api_keys


class Command(BaseCommand):
    help = "Revoke the key that begins with these characters; requests with it are refused at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prefix", help="at least the first 12 characters of the key")

    def handle(self, *args: Any, prefix: str, **options: Any) -> None:
        if len(prefix) < 12:
            raise CommandError("Give at least the first 12 characters of the key.")
        if not (revoked := revoke_api_keys(prefix[:12])):
            raise CommandError(f"No key in use begins with {prefix[:12]}.")
        self.stdout.write(f"{revoked} key revoked.")
