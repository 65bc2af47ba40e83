"""Create a payment: one INSERT, no gateway, safe to repeat under an idempotency key."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db import connection, transaction
from django.db.models import DateTimeField, Field, JSONField

from tillgate.common import clock
from tillgate.common.errors import PayError
from tillgate.common.references import new_reference, new_token
from tillgate.events.services.outbox import is_told_of_creation, tell_created
from tillgate.gateways.protocol import Mode
from tillgate.merchants.models import Merchant
from tillgate.merchants.services.choosing import no_gateway, usable_accounts
from tillgate.money import Money
from tillgate.payments.errors import KeyReused, ReferenceTaken
from tillgate.payments.models import Payment
from tillgate.payments.states import PAYABLE, MethodSaving

KEY_KEPT = timedelta(hours=72)
RELEASED_AT_ONCE = 50  # Each batch is a transaction of its own, and SQLite has one writer.


@dataclass(frozen=True, kw_only=True)
class NewPayment:
    """What a caller asks for, already checked for form at the door.

    `idempotency_hash` covers scope and key, `request_hash` the body; both empty without a key.
    """

    merchant: Merchant
    mode: Mode
    created_by: str
    customer_name: str
    customer_email: str
    amount: Money
    description: str = ""
    gateway: str | None = None
    return_url: str = ""
    merchant_reference: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    expires_in: timedelta = timedelta(days=1)
    subscription_reference: str = ""
    account_id: int | None = None
    method_saving: MethodSaving = MethodSaving.NO
    idempotency_hash: str | None = None
    request_hash: str = ""


def create_payment(new: NewPayment) -> tuple[Payment, bool]:
    """Store a payment; return it and whether it is new. One statement, which is also the claim of the key;
    two more where an endpoint wants to be told of new payments.

    The same key and body return the first payment as it is now. Raises KeyReused for another body
    under the key, ReferenceTaken for a merchant_reference already used, NoGateway when nothing
    could take this amount; it names the currencies that would do, or the merchant's rule.
    """
    if not usable_accounts(new.merchant, new.mode, new.amount, only=new.gateway):
        # A repeat is answered all the same: its payment is there, whatever became of the gateway's key.
        refusal = no_gateway(new.merchant, new.mode, new.amount, only=new.gateway)
        return _first_under_key(new, otherwise=refusal), False
    payment = build_payment(new, clock.now())
    if _insert_and_tell(payment):
        return payment, True
    return _first_under_key(new, otherwise=_reference_taken()), False


def release_keys() -> int:
    """Forget the keys of payments that are closed and older than 72 hours; return how many."""
    old = Payment.objects.filter(idempotency_hash__isnull=False, created_at__lt=clock.now() - KEY_KEPT)
    closed = old.exclude(status__in=[*PAYABLE, "processing", "review"]).values_list("pk", flat=True)
    released = 0
    while ids := list(closed[:RELEASED_AT_ONCE]):
        released += Payment.objects.filter(pk__in=ids).update(idempotency_hash=None)
    return released


def build_payment(new: NewPayment, now: datetime) -> Payment:
    """Return the row of a new payment, not saved yet."""
    return Payment(
        reference=new_reference("PAY"),
        merchant=new.merchant,
        mode=new.mode,
        customer_name=new.customer_name,
        customer_email=new.customer_email,
        amount_minor=new.amount.minor,
        currency=new.amount.currency,
        description=new.description,
        gateway=new.gateway,
        gateway_pinned=new.gateway is not None,
        checkout_token=new_token(),
        return_url=new.return_url,
        created_by=new.created_by,
        account_id=new.account_id,
        merchant_reference=new.merchant_reference,
        metadata=new.metadata,
        subscription_reference=new.subscription_reference,
        method_saving=new.method_saving,
        created_at=now,
        expires_at=now + new.expires_in,
        idempotency_hash=new.idempotency_hash,
        request_hash=new.request_hash,
    )


def _insert_and_tell(payment: Payment) -> bool:
    if not is_told_of_creation(payment.merchant_id, payment.mode):
        return _insert_unless_claimed(payment)
    with transaction.atomic():
        is_new = _insert_unless_claimed(payment)
        if is_new:
            tell_created([payment])
    return is_new


def _insert_unless_claimed(payment: Payment) -> bool:
    """Insert in autocommit; say whether the row went in, or a unique value of it was there already.

    The ORM cannot: its `bulk_create(ignore_conflicts=True)` does not say which rows went in, and on
    SQLite it would also skip, silently, a row that breaks a CHECK.
    """
    values = [getattr(payment, field.attname) for field in _columns()]
    for place in _translated():
        values[place] = _columns()[place].get_db_prep_save(values[place], connection)
    with connection.cursor() as cursor:
        cursor.execute(_insert_sql(), values)
        inserted = cursor.fetchall()
    if inserted:
        payment.pk, payment._state.adding, payment._state.db = inserted[0][0], False, connection.alias
    return bool(inserted)


@cache
def _columns() -> tuple[Field[Any, Any], ...]:
    return tuple(f for f in Payment._meta.concrete_fields if not f.primary_key)


@cache
def _translated() -> tuple[int, ...]:
    """The places of times and JSON; texts and numbers go to the database as they are."""
    return tuple(i for i, field in enumerate(_columns()) if isinstance(field, DateTimeField | JSONField))


@cache
def _insert_sql() -> str:
    names = ", ".join(f'"{field.column}"' for field in _columns())
    places = ", ".join(["%s"] * len(_columns()))
    row = f'"{Payment._meta.db_table}" ({names}) VALUES ({places})'
    return f'INSERT INTO {row} ON CONFLICT DO NOTHING RETURNING "id"'


def _first_under_key(new: NewPayment, *, otherwise: PayError) -> Payment:
    if new.idempotency_hash:
        first = Payment.objects.filter(idempotency_hash=new.idempotency_hash).first()
        if first is not None and first.request_hash != new.request_hash:
            raise KeyReused(
                "This Idempotency-Key was used with another body. Send a new key for a new payment."
            )
        if first is not None:
            return first
    raise otherwise


def _reference_taken() -> ReferenceTaken:
    return ReferenceTaken(
        "merchant_reference was used for another payment. GET /api/v1/payments?merchant_reference=… finds it."
    )
