"""`./run set-country NG`: where the shop's gateway accounts are."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tillgate.management.trail import recorded
from tillgate.management.whose import add_merchant_option, chosen_merchant
from tillgate.merchants.services.fees import COUNTRY
from tillgate.merchants.services.merchants import set_country


class Command(BaseCommand):
    help = "Say in which country a merchant has its gateway accounts; fee estimates follow it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("country", help='two letters such as NG, or "" for the home of each currency')
        add_merchant_option(parser)

    def handle(self, *args: Any, country: str, **options: Any) -> None:
        if country and not COUNTRY.fullmatch(country):
            raise CommandError("Send the two capital letters of ISO 3166, such as NG, GH, KE or ZA.")
        merchant = chosen_merchant(options["merchant"])
        with recorded("set-country", merchant, "merchant.changed", country=country):
            set_country(merchant, country)
        self.stdout.write(f"Fees are now estimated for {country or 'the home of each currency'}.")
