"""Payments in bulk: COPY on PostgreSQL, executemany on SQLite; and one by one for pgbench."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

from django.db import connection
from psycopg import sql

from tillgate.payments.models import Payment

DAY = timedelta(days=1)
FIELDS = [field for field in Payment._meta.concrete_fields if not field.primary_key]
COLUMNS = ", ".join(field.attname for field in FIELDS)  # Named alike in the table.


def fill(merchant_id: int, count: int) -> None:
    """Store `count` payments, most of them completed, one a second until now."""
    rows = _rows(merchant_id, count)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            places = ", ".join("?" * len(FIELDS))
            cursor.execute("BEGIN IMMEDIATE")
            connection.connection.executemany(
                f"INSERT INTO payments_payment ({COLUMNS}) VALUES ({places})",  # nosec B608: our own names
                ([str(v) if isinstance(v, datetime) else v for v in row] for row in rows),
            )
            cursor.execute("COMMIT")
            cursor.execute("ANALYZE")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        with cursor.copy(f"COPY payments_payment ({COLUMNS}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute("VACUUM ANALYZE payments_payment")
        cursor.execute("CHECKPOINT")


def pgbench_script(merchant_id: int) -> str:
    """Return one INSERT of such a payment, for PostgreSQL."""
    token = "upper(left(md5(random()::text), 26))"
    made = {
        "reference": f"'PAY-' || {token}",
        "checkout_token": token,
        "created_at": "now()",
        "expires_at": "now() + interval '1 day'",
    }
    alike = {**_plain(), "merchant_id": merchant_id, "customer_name": "John Doe"}
    alike["customer_email"] = "john@example.com"
    values = (made.get(f.attname) or sql.Literal(alike[f.attname]).as_string(None) for f in FIELDS)
    return f"INSERT INTO payments_payment ({COLUMNS}) VALUES ({', '.join(values)});"  # nosec B608: quoted


def _rows(merchant_id: int, count: int) -> Iterator[tuple[object, ...]]:
    dice = random.Random(1)
    began = datetime.now(UTC).replace(
        tzinfo=None if connection.vendor == "sqlite" else UTC
    ) - count * timedelta(seconds=1)
    for number in range(count):
        at = began + timedelta(seconds=number, microseconds=dice.randrange(1_000_000))
        is_paid = number % 20 > 0
        values = {
            **_plain(),
            "reference": f"PAY-{dice.getrandbits(104):026X}",
            "merchant_id": merchant_id,
            "customer_name": f"Customer {number}",
            "customer_email": f"customer{number}@example.com",
            "checkout_token": f"{dice.getrandbits(104):026X}",
            "created_at": at,
            "expires_at": at + (DAY if is_paid else 365 * DAY),
        }
        if is_paid:
            paid = {"status": "completed", "completed_at": at + timedelta(minutes=2), "received_minor": 5_000}
            values |= {**paid, "sequence": 2}
        yield tuple(values[field.attname] for field in FIELDS)


@cache
def _plain() -> dict[str, object]:
    """What every payment has alike: the model's own defaults, and an order."""
    defaults = {field.attname: field.get_default() for field in FIELDS}
    order = {
        "mode": "test",
        "amount_minor": 5_000,
        "currency": "NGN",
        "created_by": "guest",
        "metadata": "{}",
    }
    return {**defaults, **order}
