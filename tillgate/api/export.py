"""A merchant's payments as CSV: the rows of the list, streamed, without making objects of them."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.db.models import JSONField
from django.http import HttpResponse, StreamingHttpResponse

from tillgate.api.shapes.common import instant
from tillgate.money import EXPONENTS
from tillgate.payments.models import PaymentQuerySet

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Also behind a semicolon: spreadsheets of half the world split a line there, whatever its quotes say.
FORMULA = re.compile(rf"((?:^|;)[\s\"]*)(?={'|'.join(map(re.escape, FORMULA_STARTS))})")
SUSPECT = (*FORMULA_STARTS, " ", '"')
CHUNK = 1000  # Rows; a line at a time would cost more in the server than in the database.

Row = Any  # A named tuple of the payment's columns: a Payment object would cost as much as all the rest.

# A column's name on the wire, and what stands in it.
CELLS: dict[str, Callable[[Row], object]] = {
    "id": attrgetter("reference"),
    "customer_name": lambda row: _text(row.customer_name),
    "customer_email": lambda row: _text(row.customer_email),
    "amount": lambda row: _major(row, row.amount_minor),
    "currency": attrgetter("currency"),
    "status": attrgetter("status"),
    "description": lambda row: _text(row.description),
    "gateway": attrgetter("gateway"),
    "checkout_url": lambda row: f"{settings.TILLGATE_PUBLIC_URL}/pay/{row.checkout_token}",
    "return_url": lambda row: _text(row.return_url),
    "amount_refunded": lambda row: _major(row, row.refunded_minor),
    "subscription": lambda row: row.subscription_reference or None,
    "late": lambda row: "true" if row.late else "false",
    "test": lambda row: "true" if row.mode == "test" else "false",
    "created_by": attrgetter("created_by"),
    "created_at": lambda row: instant(row.created_at),
    "expires_at": lambda row: instant(row.expires_at),
    "completed_at": lambda row: row.completed_at and instant(row.completed_at),
    "merchant_reference": lambda row: row.merchant_reference and _text(row.merchant_reference),
    "amount_received": lambda row: _major(row, row.received_minor),
    "amount_surplus": lambda row: _major(row, row.surplus_minor),
    "fee": lambda row: _major(row, row.fee_minor),
    "net": lambda row: None if row.fee_minor is None else _major(row, row.received_minor - row.fee_minor),
}


def export_payments(payments: PaymentQuerySet) -> HttpResponse:
    """Stream the payments, newest first."""
    response = StreamingHttpResponse(_chunks(payments), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="payments.csv"'
    response["Cache-Control"] = "no-store"
    return response  # type: ignore[return-value]


def _chunks(payments: PaymentQuerySet) -> Iterator[str]:
    columns = [f.attname for f in payments.model._meta.concrete_fields if not isinstance(f, JSONField)]
    rows = payments.newest_first().values_list(*columns, named=True).iterator(chunk_size=CHUNK)
    cells = CELLS.values()
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(CELLS)
    while text := lines.getvalue():
        yield text
        lines.seek(0)
        lines.truncate()
        writer.writerows([cell(row) for cell in cells] for row in islice(rows, CHUNK))


def _major(row: Row, minor: int | None) -> Decimal | None:
    return None if minor is None else Decimal(minor).scaleb(-EXPONENTS[row.currency])


def _text(value: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return FORMULA.sub(r"\1'", value) if value.startswith(SUSPECT) or ";" in value else value
