"""`./run redeliver --from … --to …`: send again what happened in a time."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tillgate.common import clock
from tillgate.events.models import Endpoint
from tillgate.events.services.redeliver import redeliver_range


def moment(text: str) -> datetime:
    """Read a time; without a zone it is UTC."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no time such as 2026-01-31T09:00:00Z") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


class Command(BaseCommand):
    help = "Send an endpoint, or all of them, again what it subscribes to of a time; with the same ids."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="since", type=moment, required=True, help="2026-01-31T09:00:00Z")
        parser.add_argument("--to", dest="until", type=moment, help="the same; now, where it is left out")
        parser.add_argument("--endpoint", help="WHE-…; all that are enabled, where it is left out")

    def handle(
        self, *args: Any, since: datetime, until: datetime | None, endpoint: str | None, **options: Any
    ) -> None:
        endpoints = Endpoint.objects.filter(enabled=True, deleted_at__isnull=True).select_related("merchant")
        if endpoint is not None:
            endpoints = endpoints.filter(reference=endpoint)
            if not endpoints:
                raise CommandError(f"There is no endpoint {endpoint} that is enabled.")
        for one in endpoints.order_by("pk"):
            count = redeliver_range(one, since, until or clock.now())
            self.stdout.write(f"{one.reference}: {count} events are sent again.")
