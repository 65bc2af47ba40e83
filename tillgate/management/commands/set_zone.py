"""`./run set-zone Africa/Nairobi`: the clock that the shop lives by."""

from argparse import ArgumentParser
from difflib import get_close_matches
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tillgate.management.trail import recorded
from tillgate.management.whose import add_merchant_option, chosen_merchant
from tillgate.merchants.services.merchants import set_zone, zone_names


class Command(BaseCommand):
    help = "Say by which clock a merchant lives; new subscriptions are due by it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("zone", help="a name of the IANA time zones such as Africa/Nairobi")
        add_merchant_option(parser)

    def handle(self, *args: Any, zone: str, **options: Any) -> None:
        if zone not in (names := zone_names()):
            raise CommandError(f"There is no zone {zone!r}. {_hint(zone, names)}")
        merchant = chosen_merchant(options["merchant"])
        with recorded("set-zone", merchant, "merchant.changed", zone=zone):
            set_zone(merchant, zone)
        self.stdout.write(f"New subscriptions follow the clock of {zone}; those there are keep theirs.")


def _hint(text: str, names: frozenset[str]) -> str:
    """Name the zones that may be meant: "lagos" and "Africa/Lagoss" both mean Africa/Lagos."""
    word = text.strip().lower().replace(" ", "_")
    near = sorted(name for name in names if word and word in name.lower())
    near = near or get_close_matches(text, sorted(names))
    return f"Is it {' or '.join(near[:3])}?" if near else "Send a name such as Africa/Lagos or Europe/Berlin."
