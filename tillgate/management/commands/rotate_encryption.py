"""`./run rotate-encryption`: encrypt what is stored so anew, after a new encryption key was put first."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tillgate.customers.services.methods import rotate_tokens
from tillgate.events.services.endpoints import rotate_endpoint_secrets
from tillgate.merchants.services.stored_accounts import rotate_accounts
from tillgate.merchants.services.totp import rotate_otp_secrets

# What is encrypted: how it is called, what encrypts it anew, and what its loss would mean.
ROTATIONS = (
    ("Saved methods", rotate_tokens, "their customers have to save a method anew"),
    ("Gateway accounts", rotate_accounts, "their secrets have to be set anew"),
    ("Secrets of endpoints", rotate_endpoint_secrets, "their receivers need new ones"),
    ("Second factors", rotate_otp_secrets, "their owners sign in by a recovery code, and begin anew"),
)


class Command(BaseCommand):
    help = "Encrypt every stored secret anew with the first of TILLGATE_ENCRYPTION_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        lost = []
        for what, rotate, loss in ROTATIONS:
            rotation = rotate()
            self.stdout.write(f"{what} encrypted with the first key: {rotation.done}.")
            if rotation.unreadable:
                lost.append(
                    f"{what}: {rotation.unreadable} more were encrypted with a key that is not in "
                    f"TILLGATE_ENCRYPTION_KEYS; without it they are lost, and {loss}."
                )
        if lost:
            back = "Put that key back behind the first, and run this again."
            raise CommandError("\n".join([*lost, back]))
        self.stdout.write("Once every process runs with these keys, those behind the first may go.")
