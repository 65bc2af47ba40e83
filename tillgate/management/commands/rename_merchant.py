"""`./run rename-merchant NAME`: the name that customers see."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tillgate.merchants.services.merchants import default_merchant, rename_merchant


class Command(BaseCommand):
    help = "Give the default merchant the name that customers see on the checkout page."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        if not 1 <= len(name.strip()) <= 120:
            raise CommandError("A name has 1 to 120 characters.")
        rename_merchant(default_merchant(), name.strip())
        self.stdout.write(f"Customers now see {name.strip()}.")
