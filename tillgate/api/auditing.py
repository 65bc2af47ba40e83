"""What is done at a door for a merchant leaves a line in its audit trail, in the same transaction."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.db import transaction
from django.http import HttpResponse
from rest_framework.request import Request

from tillgate.api.caller import actor_of, caller_of
from tillgate.merchants.services.audit import record
from tillgate.payments.errors import ApprovalRequired

View = TypeVar("View", bound=Callable[..., HttpResponse])
DETAILS = "tillgate.audit_details"


def audited(action: str, *, people_only: bool = False) -> Callable[[View], View]:
    """Let a view method run in one transaction with the line that it leaves, where it succeeds.

    The line is about what was made (the answer's Location), else about what the address names, else about
    the merchant itself; a repeat (Idempotency-Replayed) has done nothing and leaves none. With
    `people_only` a key leaves none: what it makes says so itself. A view that calls a gateway cannot be
    audited so.
    """

    def decorate(method: View) -> View:
        @wraps(method)
        def run(self: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            if people_only and caller_of(request).role is None:
                return method(self, request, *args, **kwargs)
            with transaction.atomic():
                try:
                    response = method(self, request, *args, **kwargs)
                except ApprovalRequired as refusal:
                    asked = refusal  # What it refers to stands: the transaction commits.
                    if asked.is_new:
                        leave_line(request, "approval.requested", asked.approval)
                else:
                    if response.status_code < 400 and "Idempotency-Replayed" not in response.headers:
                        leave_line(request, action, _subject(request, response, kwargs))
                    return response
            raise asked

        return cast(View, run)

    return decorate


def tell(request: Request, **details: object) -> None:
    """Add to what the line of this request will say. No secret, and nothing personal of a customer."""
    request.META.setdefault(DETAILS, {}).update(details)


def leave_line(request: Request, action: str, subject: str) -> None:
    """Write a line about what this request has done."""
    caller = caller_of(request)
    details = {"mode": caller.mode, **request.META.get(DETAILS, {})}
    record(actor_of(request), caller.merchant, action, subject, details)


def _subject(request: Request, response: HttpResponse, kwargs: dict[str, Any]) -> str:
    made = str(response.headers.get("Location", "")).rpartition("/")[2]
    return made or str(kwargs.get("reference") or caller_of(request).merchant.reference)
