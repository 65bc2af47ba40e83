"""Small forms for browsers, at the addresses of what they send: the page knows nothing, its script asks.

No page holds anything of anybody's; what it may show it is told by the API, for the token that its script has
in memory while it is open.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from tillgate.merchants.services.accounts import guest_mode
from tillgate.merchants.services.merchants import default_merchant

Door = Callable[..., HttpResponseBase]


def for_browsers(page: Door, view: Door) -> Door:
    """Return a door that shows `page` to a browser's GET, and is `view`'s to everyone else."""

    @wraps(view)  # What the view says of itself, the router and the schema read.
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method in ("GET", "HEAD") and "text/html" in request.headers.get("Accept", ""):
            return page(request, *args, **kwargs)
        return view(request, *args, **kwargs)

    return door


def sign_up_page(request: HttpRequest) -> HttpResponse:
    """/auth/users/"""
    return _page(request, "sign_up")


def pay_page(request: HttpRequest) -> HttpResponse:
    """/dukka/api/initialize-payment/"""
    return _page(request, "pay")


def stop_page(request: HttpRequest, number: int) -> HttpResponse:
    """/dukka/api/stop-payment/{id}/"""
    return _page(request, "stop", number=number)


def doctor_page(request: HttpRequest) -> HttpResponse:
    """/api/v1/doctor"""
    return _page(request, "doctor")


def _page(request: HttpRequest, name: str, **more: object) -> HttpResponse:
    shop = {"merchant": default_merchant(), "is_test": guest_mode() == "test", "path": request.path}
    response = render(request, f"api/{name}.html", {**shop, **more})
    response["Vary"] = "Accept"
    return response
