"""`./run remove-otp NAME`: for who has lost both phone and recovery codes, once you know that it is them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tillgate.merchants.models import User
from tillgate.merchants.services.totp import remove_otp


class Command(BaseCommand):
    help = "Let an account sign in without its second factor, which was lost."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the username, or the confirmed e-mail")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        try:
            user = User.objects.get_by_natural_key(name)
        except User.DoesNotExist:
            raise CommandError(f"No account is called {name!r}.") from None
        remove_otp(user.pk)
        self.stdout.write(f"{user.username} signs in with the password alone.")
