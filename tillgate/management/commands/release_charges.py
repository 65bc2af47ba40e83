"""`./run release-charges`: after a backup was restored, a person has looked, and recurring charges go on."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime

from tillgate.common import restoration
from tillgate.common.models import Restoration
from tillgate.subscriptions.services.audit import due_by

SUMMARY = """\
The backup is of {made_at:%Y-%m-%d %H:%M} UTC, and the installation that was lost may have run until
{ran_until:%Y-%m-%d %H:%M} UTC. {count} recurring payments were due by then and are unpaid here. What is
to be charged of them is looked up at its gateway under the name that the charge would have had, and not
sent: what the gateway does not know waits for a person (`./run verify-ledger` lists it, a day after the
backup). What customers have paid by themselves since is here only once `./run adopt-attempt` has brought it:
until then it may be charged as well.
"""
MOVED = """\
The backup is of {made_at:%Y-%m-%d %H:%M} UTC, when its installation had stopped: all goes on from there.
"""


class Command(BaseCommand):
    help = "Let recurring payments be charged again, after a backup was restored and you have looked."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--yes", action="store_true", help="do not ask")
        stopped = parser.add_mutually_exclusive_group()
        stopped.add_argument(
            "--ran-until",
            type=_moment,
            help="when the lost installation stopped, rounded up, as 2026-11-29T10:01Z; "
            "what fell due later is charged",
        )
        stopped.add_argument(
            "--stopped-before",
            action="store_true",
            help="it had stopped before the backup was made (a move): all goes on where it was",
        )

    def handle(self, *args: Any, yes: bool, ran_until: datetime | None, **options: Any) -> None:
        waiting = Restoration.objects.filter(released_at=None).order_by("pk").last()
        if waiting is None:
            raise CommandError("Nothing waits: no backup was restored since charges were last released.")
        if options["stopped_before"]:
            ran_until = waiting.backed_up_at
        until = ran_until or waiting.ran_until
        if not waiting.backed_up_at <= until <= waiting.ran_until:
            first, last = (
                f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}" for moment in (waiting.backed_up_at, waiting.ran_until)
            )
            raise CommandError(f"--ran-until must lie between {first} and {last}.")
        says = MOVED if until == waiting.backed_up_at else SUMMARY
        self.stdout.write(says.format(made_at=waiting.backed_up_at, ran_until=until, count=due_by(until)))
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
    if moment is None or moment.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} is no time with its zone, such as 2026-11-29T10:01Z")
    return moment
