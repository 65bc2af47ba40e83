"""Whether this process lives, and whether it can do its work."""

import os

from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from tillgate.common.database import answers
from tillgate.common.unapplied import unapplied
from tillgate.common.web import json_response

# The web server makes this file when it is told to stop (launcher/leaving.py).
LEAVING = os.environ.get("TILLGATE_LEAVING_FILE", "")
_is_migrated = False


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; one that was told to stop says that nothing more is to be sent to it."""
    if LEAVING and os.path.exists(LEAVING):
        return json_response({"status": "leaving"}, status=503)
    return json_response({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The database answers too, and has all tables that this code knows."""
    try:
        missing = _unapplied() if answers() else None
    except Error:
        missing = None
    if missing is None:
        return json_response({"status": "unavailable", "database": "does not answer"}, status=503)
    if missing:
        said = f"{missing} of this code are not applied: `./run prepare` applies them"
        return json_response({"status": "unavailable", "migrations": said}, status=503)
    return json_response({"status": "ok"})


def _unapplied() -> int:
    """Asked until there is none; what was applied once stays, so it is not asked again."""
    global _is_migrated
    if _is_migrated:
        return 0
    missing = len(unapplied())
    _is_migrated = not missing
    return missing
