"""The door for WSGI servers: `granian --interface wsgi tillgate.wsgi:application`."""

import gc
import os
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tillgate.settings")
_product = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer a request, without the server's own word on what it is."""

    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        return start_response(status, [*headers, ("Server", "")], *more)

    return _product(environ, start)


# No server runs Django's checks by itself, and a dangerous setting must not take money.
BaseCommand().check(tags=["security"])

# What was loaded until here stays for good: the collector need not look at it with every request.
gc.collect()
gc.freeze()
