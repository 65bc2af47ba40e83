"""Whether this process lives, and whether it can do its work."""

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from tillgate.common.web import json_response


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return json_response({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The database answers too."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return json_response({"status": "unavailable", "database": "does not answer"}, status=503)
    return json_response({"status": "ok"})
