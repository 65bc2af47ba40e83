"""The option `--merchant MER-…` of commands that act for one business."""

import argparse
from typing import Any

from django.core.management.base import CommandError

from tillgate.merchants.models import Merchant


def add_merchant_option(parser: argparse.ArgumentParser, *, default: Any = None) -> None:
    """Let a command name the business that it is for; without it, it is for the default merchant."""
    parser.add_argument(
        "--merchant", metavar="MER-…", default=default, help="for which business; without: the default one"
    )


def chosen_merchant(reference: str | None) -> Merchant:
    """Return the business as it is now: what a process keeps of the default one may be some seconds old."""
    wanted = {"is_default": True} if reference is None else {"reference": reference}
    merchant = Merchant.objects.filter(**wanted).first()
    if merchant is None:
        raise CommandError(f"There is no merchant {reference!r}; ./run list-merchants shows those there are.")
    return merchant
