"""`./run` calls this before it starts anything: tables, static files, the default merchant, its first key."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import transaction

from tillgate.events.services.endpoints import follow_settings
from tillgate.management import static_files
from tillgate.management.upgrading import upgrade
from tillgate.merchants.models import ApiKey, Merchant
from tillgate.merchants.services.accounts import guest_mode
from tillgate.merchants.services.audit import by_command, record
from tillgate.merchants.services.keys import NewKey, create_key
from tillgate.merchants.services.merchants import ensure_default_merchant

NO_KEY = "There is no secret key yet. Make one where no log keeps it: create-key --mode {mode}"


class Command(BaseCommand):
    help = "Create or upgrade the tables, make the default merchant and, at first start, its secret key."
    requires_system_checks = "__all__"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--no-backup", action="store_true", help="upgrade a SQLite database without a backup before"
        )
        parser.add_argument(
            "--show-key",
            action="store_true",
            help="make the first secret key, and show it: logs may be public",
        )

    def handle(self, *args: Any, no_backup: bool, show_key: bool, **options: Any) -> None:
        upgrade(self.stdout.write, backs_up=not no_backup)
        if static_files.is_due():
            call_command("collectstatic", interactive=False, verbosity=0)
        merchant = ensure_default_merchant(name="My shop")
        follow_settings()
        if not ApiKey.objects.filter(merchant=merchant).exists():
            shown = f"Secret key (shown only now): {_first_key(merchant)}" if show_key else ""
            self.stdout.write(shown or NO_KEY.format(mode=guest_mode()))


@transaction.atomic
def _first_key(merchant: Merchant) -> str:
    key, secret = create_key(merchant, NewKey(mode=guest_mode()))
    told = {"key": key.prefix, "mode": key.mode, "scopes": key.scopes}
    record(by_command("prepare"), merchant, "key.created", key.reference, told)
    return secret
