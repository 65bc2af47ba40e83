"""`./run remove-staff USERNAME`: somebody works for a merchant no more."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from tillgate.management.whose import add_merchant_option, chosen_merchant
from tillgate.merchants.errors import LastOwner
from tillgate.merchants.models import Membership
from tillgate.merchants.services.audit import by_command, record
from tillgate.merchants.services.staff import take_off_staff


class Command(BaseCommand):
    help = "Let somebody work for a merchant no more, from their next request on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        add_merchant_option(parser)

    def handle(self, *args: Any, username: str, merchant: str | None, **options: Any) -> None:
        at = chosen_merchant(merchant)
        staff = Membership.objects.filter(merchant=at).select_related("user")
        found = staff.filter(user__username__iexact=username).first()
        if found is None:
            raise CommandError(f"{username} does not work for {at.name}.")
        try:
            with transaction.atomic():
                take_off_staff(found)
                told = {"username": found.user.username, "was": found.role}
                record(by_command("remove-staff"), at, "staff.removed", found.reference, told)
        except LastOwner as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{username} works for {at.name} no more.")
