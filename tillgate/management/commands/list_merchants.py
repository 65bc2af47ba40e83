"""`./run list-merchants`: the businesses on this installation, and where they are paid."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand

from tillgate.gateways.protocol import GatewayAccount
from tillgate.merchants.models import Merchant
from tillgate.merchants.services.accounts import accounts_for


class Command(BaseCommand):
    help = "List the businesses with their gateway accounts; no secret is shown."

    def handle(self, *args: Any, **options: Any) -> None:
        for merchant in Merchant.objects.order_by("pk"):
            accounts = ", ".join(_accounts(merchant)) or "no gateway account"
            default = " (default)" if merchant.is_default else ""
            self.stdout.write(f"{merchant.reference}  {merchant.name}{default}: {accounts}")


def _accounts(merchant: Merchant) -> Iterator[str]:
    for mode in ("test", "live"):
        yield from (f"{account.gateway} {mode} …{_end(account)}" for account in accounts_for(merchant, mode))


def _end(account: GatewayAccount) -> str:
    return next(iter(account.credentials.values()))[-4:]
