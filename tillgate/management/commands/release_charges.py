"""`./run release-charges`: after a backup was restored, a person has looked, and recurring charges go on."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime

from tillgate.common import restoration
from tillgate.common.models import Restoration
from tillgate.subscriptions.services.audit import due_since

SUMMARY = """\
The backup is of {made_at:%Y-%m-%d %H:%M} UTC, and the installation that was lost may have run until
{ran_until:%Y-%m-%d %H:%M} UTC. {count} recurring payments fell due in between. Each is looked up at its
gateway under the name that it would have had, and not sent: what the gateway does not know waits for a person
(`./run verify-ledger` lists it, a day after the backup). What customers have paid by themselves since is here
only once `./run adopt-attempt` has brought it: until then it may be charged as well.
"""


class Command(BaseCommand):
    help = "Let recurring payments be charged again, after a backup was restored and you have looked."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument(
            "--ran-until",
            type=_moment,
            help="when the lost installation stopped, as 2026-11-29T10:00Z; what fell due later is charged",
        )

    def handle(self, *args: Any, yes: bool, ran_until: datetime | None, **options: Any) -> None:
        waiting = Restoration.objects.filter(released_at=None).order_by("pk").last()
        if waiting is None:
            raise CommandError("Nothing waits: no backup was restored since charges were last released.")
        until = ran_until or waiting.ran_until
        if not waiting.backed_up_at <= until <= waiting.ran_until:
            first, last = (
                f"{moment:%Y-%m-%dT%H:%MZ}" for moment in (waiting.backed_up_at, waiting.ran_until)
            )
            raise CommandError(f"--ran-until must lie between {first} and {last}.")
        count = due_since(waiting.backed_up_at, until)
        self.stdout.write(SUMMARY.format(made_at=waiting.backed_up_at, ran_until=until, count=count))
        if not yes and not _agrees():
            raise CommandError("Still held. (Without a terminal, --yes releases.)")
        restoration.release(ran_until=ran_until)
        self.stdout.write("Released.")


def _agrees() -> bool:
    try:
        return input("Charge again? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _moment(text: str) -> datetime:
    moment = parse_datetime(text)
    if moment is None:
        raise ValueError(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
