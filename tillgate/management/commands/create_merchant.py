"""`./run create-merchant NAME`: one more business on this installation."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from tillgate.merchants.services.audit import by_command, record
from tillgate.merchants.services.keys import create_api_key
from tillgate.merchants.services.merchants import create_merchant, zone_names


class Command(BaseCommand):
    help = "Make a business with its first secret key, which is shown once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="as customers see it")
        parser.add_argument("--zone", default="", help="its clock, such as Africa/Nairobi")
        parser.add_argument("--mode", choices=["test", "live"], default="test", help="of the key")

    def handle(self, *args: Any, name: str, zone: str, mode: Any, **options: Any) -> None:
        if not 1 <= len(name.strip()) <= 120:
            raise CommandError("A name has 1 to 120 characters.")
        if zone and zone not in zone_names():
            raise CommandError(f"There is no zone {zone!r}. Send a name such as Africa/Lagos.")
        with transaction.atomic():
            merchant = create_merchant(name=name.strip(), zone=zone)
            secret = create_api_key(merchant, mode)
            record(by_command("create-merchant"), merchant, "merchant.created", merchant.reference)
        self.stdout.write(f"{merchant.reference} is {merchant.name}.")
        self.stdout.write(f"Secret key (shown only now): {secret}")
