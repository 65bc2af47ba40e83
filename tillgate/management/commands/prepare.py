"""`./run` calls this before it starts anything: tables, the default merchant, its first key."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from tillgate.merchants.models import ApiKey
from tillgate.merchants.services.accounts import guest_mode
from tillgate.merchants.services.keys import create_api_key
from tillgate.merchants.services.merchants import ensure_default_merchant


class Command(BaseCommand):
    help = "Create or upgrade the tables, make the default merchant and, at first start, its secret key."
    requires_system_checks = "__all__"

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        merchant = ensure_default_merchant(name="My shop")
        if not ApiKey.objects.filter(merchant=merchant).exists():
            self.stdout.write(f"Secret key (shown only now): {create_api_key(merchant, guest_mode())}")
