"""Lists: filters, and pages that never shift."""

from typing import TypeVar
from urllib.parse import urlencode

import msgspec
from django.conf import settings
from django.db.models import Q
from django.http import HttpResponse
from msgspec import UNSET
from rest_framework.request import Request
from rest_framework.response import Response

from tillgate.api import fields
from tillgate.api.export import export_payments
from tillgate.api.shapes import PaymentFilter, payment_out
from tillgate.api.visible import load_incidents
from tillgate.common.errors import InvalidRequest
from tillgate.payments.models import Payment, PaymentQuerySet

S = TypeVar("S", bound=msgspec.Struct)


def list_payments(request: Request, payments: PaymentQuerySet) -> Response | HttpResponse:
    """Answer one page of a merchant's payments, or all of them as CSV where that is asked for."""
    query = read_query(request, PaymentFilter)
    chosen = _filtered(payments, query)
    if "text/csv" in request.headers.get("Accept", ""):
        return export_payments(chosen)
    rows, next_cursor, previous_cursor = _page(chosen, query, _anchor(payments, query.cursor))
    load_incidents(rows)
    links = {"next": _link(request, next_cursor), "previous": _link(request, previous_cursor)}
    body = {
        "payments": [payment_out(payment, with_key=True) for payment in rows],
        **links,
        "status": "success",
        "message": "Payments retrieved successfully.",
    }
    link = ", ".join(f'<{url}>; rel="{name}"' for name, url in links.items() if url)
    return Response(body, headers={"Link": link} if link else {})


def read_query(request: Request, shape: type[S]) -> S:
    """Read the query as `shape`. Raises InvalidRequest that names what is unknown, wrong or there twice."""
    problems = fields.Problems()
    for name, values in request.query_params.lists():
        if len(values) > 1:
            problems.add(name[:80], "Send it once.")
    problems.raise_if_any()
    return fields.parse(shape, request.query_params.dict(), strict=False)


def _filtered(payments: PaymentQuerySet, query: PaymentFilter) -> PaymentQuerySet:
    problems = fields.Problems()
    after = problems.check("created_after", lambda: fields.moment(query.created_after))
    before = problems.check("created_before", lambda: fields.moment(query.created_before))
    problems.raise_if_any()
    wanted = {
        "status": query.status,
        "gateway": query.gateway,
        "currency": query.currency,
        "customer_email__iexact": query.customer_email,
        "merchant_reference": query.merchant_reference,
        "created_at__gt": after,
        "created_at__lt": before,
    }
    return payments.filter(**{name: value for name, value in wanted.items() if value not in (None, UNSET)})


def _page(
    payments: PaymentQuerySet, query: PaymentFilter, start: tuple[str, Payment | None]
) -> tuple[list[Payment], str | None, str | None]:
    direction, anchor = start
    if direction == "before":
        newer = payments.filter(_after(anchor)).order_by("created_at", "pk") if anchor else payments.none()
        rows = list(newer[: query.limit + 1])
        more, rows = len(rows) > query.limit, rows[: query.limit][::-1]
        return rows, _cursor("after", rows[-1:]), _cursor("before", rows[:1]) if more else None
    older = payments.filter(_before(anchor)) if anchor else payments
    rows = list(older.newest_first()[: query.limit + 1])
    more, rows = len(rows) > query.limit, rows[: query.limit]
    return (
        rows,
        _cursor("after", rows[-1:]) if more else None,
        _cursor("before", rows[:1]) if anchor else None,
    )


def _anchor(payments: PaymentQuerySet, cursor: str | None) -> tuple[str, Payment | None]:
    if cursor is None:
        return "after", None
    direction, _, reference = cursor.partition(".")
    anchor = payments.filter(reference=reference).only("reference", "created_at").first()
    if direction not in ("after", "before") or anchor is None:
        raise InvalidRequest("Take the cursor from a page's next or previous link.", code="invalid_cursor")
    return direction, anchor


def _before(anchor: Payment) -> Q:
    # The first half starts the walk through the index at the anchor; an OR alone would start at its end.
    earlier = Q(created_at__lt=anchor.created_at) | Q(pk__lt=anchor.pk)
    return Q(created_at__lte=anchor.created_at) & earlier


def _after(anchor: Payment) -> Q:
    later = Q(created_at__gt=anchor.created_at) | Q(pk__gt=anchor.pk)
    return Q(created_at__gte=anchor.created_at) & later


def _cursor(direction: str, edge: list[Payment]) -> str | None:
    return f"{direction}.{edge[0].reference}" if edge else None


def _link(request: Request, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    query = {**request.query_params.dict(), "cursor": cursor}
    return f"{settings.TILLGATE_PUBLIC_URL}{request.path}?{urlencode(query)}"
