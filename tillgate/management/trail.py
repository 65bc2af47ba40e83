"""What somebody changes at the machine itself leaves a line in the trail, too."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from tillgate.merchants.models import Merchant
from tillgate.merchants.services.audit import by_command, record


@contextmanager
def recorded(command: str, merchant: Merchant, action: str, **told: object) -> Iterator[None]:
    """Do what stands in the block in one transaction with its line about the merchant."""
    with transaction.atomic():
        yield
        record(by_command(command), merchant, action, merchant.reference, told)
