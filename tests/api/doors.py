"""The doors of the API, read from the URL resolver: what is in no list that a person wrote shows up."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

APIS = ("api/v1/", "dukka/api/")
NOT_OURS = {"api/v1/webhooks/<str:gateway>"}  # The gateways' own: guarded by signatures.


def routes(patterns: list[Any] | None = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every route with its view."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern), pattern.callback


def api_doors() -> set[str]:
    """Every method of every route of the API: `GET api/v1/payments`."""
    found = set()
    for route, view in routes():
        methods = getattr(getattr(view, "view_class", None), "http_method_names", [])
        if route.startswith(APIS) and route not in NOT_OURS:
            found |= {f"{m.upper()} {route}" for m in methods if m != "head" and hasattr(view.view_class, m)}
    return found
