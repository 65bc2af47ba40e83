"""`./run add-staff USERNAME --role owner`: how a business gets its first owner."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from tillgate.management.whose import add_merchant_option, chosen_merchant
from tillgate.merchants.errors import LastOwner, NoSuchAccount
from tillgate.merchants.roles import Role
from tillgate.merchants.services.audit import by_command, record
from tillgate.merchants.services.staff import find_account, put_on_staff


class Command(BaseCommand):
    help = "Let somebody who has an account work for a merchant, or give them another role there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="of their account; a confirmed e-mail will do")
        parser.add_argument("--role", choices=[role.value for role in Role], required=True)
        add_merchant_option(parser)

    def handle(self, *args: Any, username: str, role: str, merchant: str | None, **options: Any) -> None:
        at = chosen_merchant(merchant)
        try:
            named = {"email": username} if "@" in username else {"username": username}
            user = find_account(**named)
            with transaction.atomic():
                membership = put_on_staff(at, user, Role(role))
                told = {"username": user.username, "role": role}
                record(by_command("add-staff"), at, "staff.added", membership.reference, told)
        except (NoSuchAccount, LastOwner) as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{user.username} is {role} of {at.name} ({at.reference}).")
