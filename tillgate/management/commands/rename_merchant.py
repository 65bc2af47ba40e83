"""`./run rename-merchant NAME`: the name that customers see."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tillgate.management.trail import recorded
from tillgate.management.whose import add_merchant_option, chosen_merchant
from tillgate.merchants.services.merchants import rename_merchant


class Command(BaseCommand):
    help = "Give a merchant the name that customers see on the checkout page."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        add_merchant_option(parser)

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        if not 1 <= len(name.strip()) <= 120:
            raise CommandError("A name has 1 to 120 characters.")
        merchant = chosen_merchant(options["merchant"])
        with recorded("rename-merchant", merchant, "merchant.changed", name=name.strip()):
            rename_merchant(merchant, name.strip())
        self.stdout.write(f"Customers now see {name.strip()}.")
