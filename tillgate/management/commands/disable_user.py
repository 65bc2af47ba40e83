"""`./run disable-user NAME`: somebody may not sign in any more; `--enable` takes it back."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tillgate.merchants.models import User
from tillgate.merchants.services.users import disable_user, enable_user


class Command(BaseCommand):
    help = "Let an account not sign in any more, and end its logins at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the username, or the confirmed e-mail")
        parser.add_argument("--enable", action="store_true", help="let it sign in again")

    def handle(self, *args: Any, name: str, enable: bool, **options: Any) -> None:
        try:
            user = User.objects.get_by_natural_key(name)
        except User.DoesNotExist:
            raise CommandError(f"No account is called {name!r}.") from None
        if enable:
            enable_user(user)
        else:
            disable_user(user)
        self.stdout.write(f"{user.username} may {'sign in again' if enable else 'not sign in any more'}.")
