"""`./run advance-clock SECONDS`: move the product's clock, in a local installation."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from tillgate.common import clock


class Command(BaseCommand):
    help = "Move the clock that due dates, expiry and ladders follow. Only where TILLGATE_ENV=local."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("seconds", type=int)

    def handle(self, *args: Any, seconds: int, **options: Any) -> None:
        if not settings.IS_LOCAL:
            raise CommandError("The clock of a production installation is not moved.")
        if seconds < 0:
            raise CommandError("Time goes forward: send a positive number of seconds.")
        offset = clock.advance(seconds)
        self.stdout.write(f"The product's clock is {offset.total_seconds():.0f} s ahead of the system's.")
