"""`./run create-key`: a secret key for a merchant's server."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from tillgate.merchants.services.keys import create_api_key
from tillgate.merchants.services.merchants import default_merchant


class Command(BaseCommand):
    help = "Make a secret key of the default merchant and print it, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--mode", choices=["test", "live"], default="test")

    def handle(self, *args: Any, mode: Any, **options: Any) -> None:
        self.stdout.write(create_api_key(default_merchant(), mode))
