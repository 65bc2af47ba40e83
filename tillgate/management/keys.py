"""Which key a command is about."""

from django.core.management.base import CommandError

from tillgate.merchants.models import ApiKey
from tillgate.merchants.services.keys import keys_called


def keys_in_use(name: str) -> list[ApiKey]:
    """Return the keys of this id, or that begin so. Raises CommandError where there is none."""
    if len(name) < 12:
        raise CommandError("Give the key's id, or at least its first 12 characters.")
    found = keys_called(name)
    if not found:
        raise CommandError(f"No key in use is {name[:30] if name.startswith('KEY-') else name[:12]}.")
    return found
