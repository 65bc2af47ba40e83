"""`./run rotate-encryption`: encrypt the saved methods anew, after a new encryption key was put first."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tillgate.customers.services.methods import rotate_tokens


class Command(BaseCommand):
    help = "Encrypt every saved method anew with the first of TILLGATE_ENCRYPTION_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        rotation = rotate_tokens()
        self.stdout.write(f"Saved methods encrypted with the first key: {rotation.done}.")
        if rotation.unreadable:
            raise CommandError(
                f"{rotation.unreadable} more were encrypted with a key that is not in "
                "TILLGATE_ENCRYPTION_KEYS. Put that key back behind the first, and run this again; "
                "without it they are lost, and their customers have to save a method anew."
            )
        self.stdout.write("Once every process runs with these keys, those behind the first may go.")
