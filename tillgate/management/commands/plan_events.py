"""`./run plan-events [--since DATE]`: what gateways told of plans that they collect themselves."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand

from tillgate.inbox.services import PlanEvent, plan_events


class Command(BaseCommand):
    help = "List the events of plans that a gateway itself collects; nothing here follows them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", type=_day, metavar="DATE", help="as 2026-01-31, in UTC")

    def handle(self, *args: Any, since: datetime | None, **options: Any) -> None:
        rows = list(map(_row, plan_events(since)))
        for row in rows:
            self.stdout.write(row)
        self.stdout.write(f"{len(rows)} events of plans that gateways collect themselves.")


def _row(event: PlanEvent) -> str:
    when = f"{event.received_at:%Y-%m-%d %H:%M}"
    told = (when, event.gateway, event.kind, event.amount, event.customer_email)
    return "  ".join(str(value or "-") for value in told)


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ArgumentTypeError("send a day such as 2026-01-31") from None
