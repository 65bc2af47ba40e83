"""Lists: queries that are read strictly, filters, and pages that never shift."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
from django.conf import settings
from django.db.models import Q, QuerySet
from msgspec import UNSET
from rest_framework.request import Request
from rest_framework.response import Response

from tillgate.api import fields
from tillgate.api.shapes.common import PageFilter
from tillgate.api.shapes.endpoints import EventFilter
from tillgate.api.shapes.payments import HistoryFilter
from tillgate.api.shapes.people import AuditFilter
from tillgate.api.shapes.subscriptions import SubscriptionFilter
from tillgate.common.errors import InvalidRequest
from tillgate.customers.models import PaymentMethod
from tillgate.events.models import OutboxEvent
from tillgate.merchants.models import ApiKey, Approval, AuditEntry, Membership
from tillgate.payments.models import Payment
from tillgate.subscriptions.models import Subscription

S = TypeVar("S", bound=msgspec.Struct)
# Each has a reference and a time of creation.
Row = TypeVar(
    "Row", Payment, Subscription, PaymentMethod, ApiKey, Membership, Approval, AuditEntry, OutboxEvent
)
Rows = TypeVar("Rows", bound=QuerySet[Any])


def read_query(request: Request, shape: type[S]) -> S:
    """Read the query as `shape`. Raises InvalidRequest that names what is unknown, wrong or there twice."""
    problems = fields.Problems()
    for name, values in request.query_params.lists():
        if len(values) > 1:
            problems.add(name[:80], "Send it once.")
    problems.raise_if_any()
    return fields.parse(shape, request.query_params.dict(), strict=False)


def created_within(
    query: HistoryFilter | SubscriptionFilter | AuditFilter | EventFilter,
) -> dict[str, object]:
    """Return the filters by the time of creation. Raises InvalidRequest for a time without its zone."""
    problems = fields.Problems()
    after = problems.check("created_after", lambda: fields.moment(query.created_after))
    before = problems.check("created_before", lambda: fields.moment(query.created_before))
    problems.raise_if_any()
    return {"created_at__gt": after, "created_at__lt": before}


def filtered(rows: Rows, wanted: dict[str, object]) -> Rows:
    """Filter by what the query names."""
    return rows.filter(**{name: value for name, value in wanted.items() if value not in (None, UNSET)})


def list_page(
    request: Request,
    resource: str,
    rows: tuple[QuerySet[Row], QuerySet[Row]],
    query: PageFilter,
    out: Callable[[list[Row]], Sequence[msgspec.Struct]],
) -> Response:
    """Answer one page, the newest first. `rows` are all, and those of them that were asked for.

    A cursor names a row of all: one that the filters have left since still marks its place.
    """
    every, chosen = rows
    page, next_cursor, previous_cursor = _page(chosen, query, _anchor(every, query.cursor))
    links = {"next": _link(request, next_cursor), "previous": _link(request, previous_cursor)}
    message = f"{resource.replace('_', ' ').capitalize()} retrieved successfully."
    body = {resource: out(page), **links, "status": "success", "message": message}
    link = ", ".join(f'<{url}>; rel="{name}"' for name, url in links.items() if url)
    return Response(body, headers={"Link": link} if link else {})


def _page(
    rows: QuerySet[Row], query: PageFilter, start: tuple[str, Row | None]
) -> tuple[list[Row], str | None, str | None]:
    direction, anchor = start
    if direction == "before":
        newer = rows.filter(_after(anchor)).order_by("created_at", "pk") if anchor else rows.none()
        found = list(newer[: query.limit + 1])
        more, found = len(found) > query.limit, found[: query.limit][::-1]
        return found, _cursor("after", found[-1:]), _cursor("before", found[:1]) if more else None
    older = rows.filter(_before(anchor)) if anchor else rows
    found = list(older.order_by("-created_at", "-pk")[: query.limit + 1])
    more, found = len(found) > query.limit, found[: query.limit]
    return (
        found,
        _cursor("after", found[-1:]) if more else None,
        _cursor("before", found[:1]) if anchor else None,
    )


def _anchor(rows: QuerySet[Row], cursor: str | None) -> tuple[str, Row | None]:
    if cursor is None:
        return "after", None
    direction, _, reference = cursor.partition(".")
    anchor = rows.filter(reference=reference).select_related(None).only("reference", "created_at").first()
    if direction not in ("after", "before") or anchor is None:
        raise InvalidRequest("Take the cursor from a page's next or previous link.", code="invalid_cursor")
    return direction, anchor


def _before(anchor: Row) -> Q:
    # The first half starts the walk through the index at the anchor; an OR alone would start at its end.
    earlier = Q(created_at__lt=anchor.created_at) | Q(pk__lt=anchor.pk)
    return Q(created_at__lte=anchor.created_at) & earlier


def _after(anchor: Row) -> Q:
    later = Q(created_at__gt=anchor.created_at) | Q(pk__gt=anchor.pk)
    return Q(created_at__gte=anchor.created_at) & later


def _cursor(direction: str, edge: list[Row]) -> str | None:
    return f"{direction}.{edge[0].reference}" if edge else None


def _link(request: Request, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    query = {**request.query_params.dict(), "cursor": cursor}
    return f"{settings.TILLGATE_PUBLIC_URL}{request.path}?{urlencode(query)}"
