"""`./run list-keys`: which keys there are, what they may do and when they were last used."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand

from tillgate.management.whose import add_merchant_option, chosen_merchant
from tillgate.merchants.models import ApiKey
from tillgate.merchants.services.keys import ended_at


class Command(BaseCommand):
    help = "List a merchant's keys, the newest first; their secrets are known to nobody."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_merchant_option(parser)

    def handle(self, *args: Any, merchant: str | None, **options: Any) -> None:
        keys = ApiKey.objects.filter(merchant=chosen_merchant(merchant)).order_by("-created_at", "-pk")
        for key in keys:
            self.stdout.write(_line(key))
        if not keys:
            self.stdout.write("There is none: ./run create-key makes one.")


def _line(key: ApiKey) -> str:
    may = "publishable" if key.is_publishable else ",".join(key.scopes)
    ended = ended_at(key)
    ends = f"ended {_day(ended)}" if ended else f"ends {_day(key.expires_at)}" if key.expires_at else "no end"
    used = f"used {_day(key.last_used_at)}" if key.last_used_at else "never used"
    return "  ".join([key.reference, f"{key.prefix}…", may, used, ends, key.name]).rstrip()


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
