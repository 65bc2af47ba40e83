"""`./run create-key`: a key for a merchant's server, or for its pages."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from tillgate.management.whose import add_merchant_option, chosen_merchant
from tillgate.merchants.roles import KEY_SCOPES, Scope
from tillgate.merchants.services.audit import by_command, record
from tillgate.merchants.services.keys import LONGEST_LIFE_DAYS, NewKey, create_key


class Command(BaseCommand):
    help = "Make a key of a merchant and print it, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        words = ",".join(KEY_SCOPES)
        parser.add_argument("--mode", choices=["test", "live"], default="test")
        add_merchant_option(parser)
        parser.add_argument("--scopes", default=words, help=f"what it may do, of {words}; all without it")
        parser.add_argument("--publishable", action="store_true", help="pk_…: may only create, as a guest")
        parser.add_argument("--name", default="", help="what it is for, in your words")
        parser.add_argument("--expires-in-days", type=int, help="how long it lives; without it: no end")

    def handle(self, *args: Any, mode: Any, name: str, scopes: str, **options: Any) -> None:
        days = options["expires_in_days"]
        if days is not None and not 1 <= days <= LONGEST_LIFE_DAYS:
            raise CommandError(f"A key lives for 1 to {LONGEST_LIFE_DAYS} days.")
        new = NewKey(
            mode=mode,
            scopes=_scopes(scopes),
            is_publishable=options["publishable"],
            name=name[:80],
            lifetime_days=days,
        )
        with transaction.atomic():
            key, secret = create_key(chosen_merchant(options["merchant"]), new)
            told = {"key": key.prefix, "mode": key.mode, "scopes": key.scopes, "name": key.name}
            record(by_command("create-key"), key.merchant, "key.created", key.reference, told)
        self.stdout.write(secret)


def _scopes(text: str) -> set[Scope]:
    words = {word.strip() for word in text.split(",")}
    known = {scope.value for scope in KEY_SCOPES}
    if not words <= known:
        raise CommandError(
            f"{', '.join(sorted(words - known))} is no scope; there are {', '.join(KEY_SCOPES)}."
        )
    return {Scope(word) for word in words}
