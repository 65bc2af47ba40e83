"""`./run restore FILE`: fill an empty database from a backup, whichever database that was of."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError

from tillgate.management.backups import tables
from tillgate.management.backups.archive import Unreadable, read_records

NEXT = """\
Restored: {rows} rows, as of {made_at:%Y-%m-%d %H:%M} UTC. Every login has ended.

What happened since is not in here. Payments that were open are asked about by themselves. Nothing is
charged without the customer until you have looked: who has stopped a recurring payment since, which API keys
and staff were removed since, what the gateways' dashboards list that is not here. Then say
  ./run release-charges
"""


class Command(BaseCommand):
    help = "Fill an empty database from a backup. Recurring charges wait for release-charges afterwards."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="the backup; - is the standard input")
        parser.add_argument(
            "--check", action="store_true", help="read the backup to its end, and restore nothing"
        )

    def handle(self, *args: Any, file: str, check: bool, **options: Any) -> None:
        try:
            if file == "-":
                self._read(sys.stdin.buffer, check=check)
                return
            with Path(file).open("rb") as source:
                self._read(source, check=check)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
        except (Unreadable, tables.NotNow) as reason:
            raise CommandError(str(reason)) from None

    def _read(self, source: BinaryIO, *, check: bool) -> None:
        records = read_records(source)
        if check:
            counts = tables.check(records)
            self.stdout.write(f"This backup is whole: {sum(counts.values())} rows of {len(counts)} tables.")
            return
        restored = tables.load(records)
        rows = sum(restored.counts.values())
        self.stdout.write(NEXT.format(rows=rows, made_at=restored.made_at))
