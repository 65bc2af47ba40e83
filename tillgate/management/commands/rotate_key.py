"""`./run rotate-key KEY-…`: replace a key without a moment in which none is good."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from tillgate.management.keys import keys_in_use
from tillgate.merchants.services.audit import by_command, record
from tillgate.merchants.services.keys import LONGEST_OVERLAP, rotate_key

MOST_HOURS = int(LONGEST_OVERLAP.total_seconds()) // 3_600


class Command(BaseCommand):
    help = "Make a key like this one and print it, once; the old one is good for some hours more."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", help="its id (./run list-keys), or at least its first 12 characters")
        parser.add_argument("--overlap-hours", type=int, default=24, help=f"0 to {MOST_HOURS}; 24 without it")

    def handle(self, *args: Any, key: str, overlap_hours: int, **options: Any) -> None:
        if not 0 <= overlap_hours <= MOST_HOURS:
            raise CommandError(f"Both are good for 0 to {MOST_HOURS} hours.")
        found = keys_in_use(key)
        if len(found) > 1:
            raise CommandError(
                f"Several begin so: name one by its id: {', '.join(k.reference for k in found)}."
            )
        with transaction.atomic():
            new, secret = rotate_key(found[0].pk, overlap=timedelta(hours=overlap_hours))
            told = {"replaces": found[0].reference, "overlap_hours": overlap_hours, "mode": new.mode}
            record(by_command("rotate-key"), new.merchant, "key.rotated", new.reference, told)
        self.stdout.write(secret)
