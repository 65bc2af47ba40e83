"""`./run set-country NG`: where the shop's gateway accounts are."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tillgate.merchants.services.fees import COUNTRY
from tillgate.merchants.services.merchants import default_merchant, set_country


class Command(BaseCommand):
    help = "Say in which country the default merchant has its gateway accounts; fee estimates follow it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("country", help='two letters such as NG, or "" for the home of each currency')

    def handle(self, *args: Any, country: str, **options: Any) -> None:
        if country and not COUNTRY.fullmatch(country):
            raise CommandError("Send the two capital letters of ISO 3166, such as NG, GH, KE or ZA.")
        set_country(default_merchant(), country)
        self.stdout.write(f"Fees are now estimated for {country or 'the home of each currency'}.")
