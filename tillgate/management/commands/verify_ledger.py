"""`./run verify-ledger`: hold every payment against the rows behind it."""

from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tillgate.common.jobs import dead_jobs
from tillgate.events.services import health as events_out
from tillgate.inbox.services import waiting_for_a_person as events_waiting
from tillgate.payments.services.verify import violations, waiting_for_a_person
from tillgate.subscriptions.services import audit


class Command(BaseCommand):
    help = "Check every rule of money over all rows; exit status 1 when one is broken."

    def handle(self, *args: Any, **options: Any) -> None:
        waiting = (
            waiting_for_a_person(),
            events_waiting(),
            audit.waiting_for_a_person(),
            events_out.waiting_for_a_person(),
            dead_jobs(),
        )
        for sentence in chain(*waiting):
            self.stdout.write(f"for a person: {sentence}")
        broken = [*violations(), *audit.broken_rules()]
        for sentence in broken:
            self.stderr.write(f"broken: {sentence}")
        if broken:
            raise CommandError(f"{len(broken)} rules are broken.")
        self.stdout.write("Every rule of money holds.")
