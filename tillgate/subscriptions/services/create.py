"""Set up a recurring payment: by its first payment, or with a method that is saved already."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from tillgate.common import clock
from tillgate.common.references import new_reference, new_token
from tillgate.customers.models import PaymentMethod
from tillgate.customers.services.methods import Payer, hold_method
from tillgate.gateways.protocol import Mode
from tillgate.merchants.models import Merchant
from tillgate.merchants.services.choosing import no_gateway, usable_accounts
from tillgate.money import Money
from tillgate.payments.errors import KeyReused
from tillgate.payments.models import Payment
from tillgate.payments.services.start import NewPayment, create_payment
from tillgate.payments.states import MethodSaving
from tillgate.subscriptions.errors import InvalidSchedule, MethodNotUsable
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.schedule import Rhythm
from tillgate.subscriptions.services.consent import agree_signed_in
from tillgate.subscriptions.services.cycles import advance
from tillgate.subscriptions.services.mails import Mail, tell
from tillgate.subscriptions.services.moves import move_subscription, note
from tillgate.subscriptions.states import Collection, Interval, SubscriptionStatus

FIRST_PAYABLE_FOR = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How often, how many times and how: what is agreed beside the amount.

    `cycles` counts the first payment; None: until somebody stops it. `starts_at` is the anchor; None: the
    first payment's completion, or now where a method is there. `trial_days`: the first cycle is due so
    many days from now. Where a first payment is made now, it is the anchor's, whenever that is.
    """

    interval: Interval
    interval_count: int = 1
    cycles: int | None = None
    starts_at: datetime | None = None
    trial_days: int = 0
    collection: Collection = Collection.CHARGE


@dataclass(frozen=True, kw_only=True)
class NewSubscription:
    """What a caller with a key asks for, already checked for form at the door.

    `imported_from` names the gateway's plan that it replaces; it is stored paused then, and unfinished.
    """

    merchant: Merchant
    mode: Mode
    customer_name: str
    customer_email: str
    amount: Money
    plan: Plan
    created_by: str = "key"
    account_id: int | None = None
    description: str = ""
    gateway: str | None = None
    payment_method: PaymentMethod | None = None
    return_url: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    imported_from: str = ""
    idempotency_hash: str | None = None
    request_hash: str = ""


def create_with_first_payment(
    new: NewPayment, plan: Plan, *, address: str | None = None
) -> tuple[Payment, bool]:
    """Store a payment that is the first of several, with its subscription (`incomplete`); return the
    payment and whether it is new. The payment's key is the claim of both.

    From somebody who is signed in, asking for it is the payer's consent: stored with it, and their `address`.

    Raises what `create_payment` does, and InvalidSchedule.
    """
    if not _is_repeat(new):
        _require_dates(plan, new.merchant.zone)
    if plan.trial_days:
        raise InvalidSchedule("A trial has no first payment: create it with POST /api/v1/subscriptions.")
    wanted = NewSubscription(
        merchant=new.merchant,
        mode=new.mode,
        customer_name=new.customer_name,
        customer_email=new.customer_email,
        amount=new.amount,
        created_by=new.created_by,
        account_id=new.account_id,
        plan=plan,
        description=new.description,
        gateway=new.gateway,
        return_url=new.return_url,
        metadata=new.metadata,
    )
    row = _row(wanted)
    with transaction.atomic():
        payment, is_new = create_payment(_as_first(new, row))
        if is_new:
            _store_incomplete(row, payment)
        if is_new and new.account_id is not None:
            agree_signed_in(payment, address)
    return payment, is_new


def create_subscription(new: NewSubscription) -> tuple[Subscription, bool]:
    """Store a subscription; return it and whether it is new.

    With a saved method it is active at once and its first cycle is charged when it is due (trial, start),
    which may be now. So is one that is collected by links and starts later. Any other is `incomplete` until
    its first payment, which is made here.
    Raises KeyReused, NoGateway, MethodNotUsable, InvalidSchedule.
    """
    if first := _first_under_key(new):
        return first, False
    _require_dates(new.plan, new.merchant.zone)
    if new.payment_method is None and not usable_accounts(
        new.merchant, new.mode, new.amount, only=new.gateway
    ):
        raise no_gateway(new.merchant, new.mode, new.amount, only=new.gateway)
    row = _row(new)
    try:
        with transaction.atomic():
            _store(row, new)
    except IntegrityError:
        first = _first_under_key(new)  # The same request, sent twice at once.
        if first is None:
            raise
        return first, False
    return row, True


def require_usable(method: PaymentMethod, subscription: Subscription, amount: Money | None = None) -> None:
    """Raise MethodNotUsable or NoGateway where a saved method cannot be charged what a subscription
    collects, or is to collect (`amount`): it is its own customer's, and nobody has removed it."""
    owner = method.customer
    whose = (owner.merchant_id, owner.mode, owner.email)
    payer = Payer(
        merchant=subscription.merchant,
        mode=subscription.mode,
        email=subscription.customer_email,
        name=subscription.customer_name,
        account=subscription.account,
        subscription=subscription.reference,
    )
    if method.removed_at is not None or whose != (subscription.merchant_id, subscription.mode, payer.owner):
        raise MethodNotUsable(
            f"{method.reference} was removed, or is no saved method of {subscription.customer_email}."
        )
    require_takeable(subscription, amount or subscription.amount, only=method.gateway)


def require_takeable(subscription: Subscription, amount: Money, *, only: str | None) -> None:
    """Raise NoGateway where no gateway, or not the one that is named, can take `amount`."""
    merchant, mode = subscription.merchant, subscription.mode
    if not usable_accounts(merchant, mode, amount, only=only):
        raise no_gateway(merchant, mode, amount, only=only)


def _store(row: Subscription, new: NewSubscription) -> None:
    if new.payment_method is None and _begins_with_payment(new.plan):
        payment, _ = create_payment(_first_of(new, row))
        _store_incomplete(row, payment)
        return
    if new.payment_method is not None:
        held = hold_method(new.payment_method.pk)
        require_usable(held, row)
    now = clock.now()
    row.anchor_at = new.plan.starts_at or now + timedelta(days=new.plan.trial_days)
    row.payment_method = new.payment_method
    advance(row, 0, opened=False)
    row.save(force_insert=True)
    note(row, "subscription.created")
    move_subscription(row, SubscriptionStatus.ACTIVE, "subscription.activated", activated_at=now)
    if new.imported_from:
        # Neither collected nor told of while the gateway may collect it still.
        paused = SubscriptionStatus.PAUSED
        move_subscription(row, paused, "subscription.paused", next_opens_at=None, import_unfinished=True)
    else:
        tell(row, Mail.SET_UP)


def _store_incomplete(row: Subscription, payment: Payment) -> None:
    row.next_index = 1
    row.cycles_left = None if row.cycles is None else row.cycles - 1
    row.save(force_insert=True)
    Cycle.objects.create(subscription=row, index=0, due_at=payment.created_at, payment=payment)
    note(row, "subscription.created", {"payment": payment.reference})


def _begins_with_payment(plan: Plan) -> bool:
    """Without a saved method somebody has to pay first; by links, that can wait for the start."""
    return plan.collection == Collection.CHARGE or not (plan.starts_at or plan.trial_days)


def _row(new: NewSubscription) -> Subscription:
    return Subscription(
        reference=new_reference("SUB"),
        merchant=new.merchant,
        mode=new.mode,
        customer_name=new.customer_name,
        customer_email=new.customer_email,
        description=new.description,
        metadata=new.metadata,
        return_url=new.return_url,
        created_by=new.created_by,
        account_id=new.account_id,
        amount_minor=new.amount.minor,
        currency=new.amount.currency,
        collection=new.plan.collection,
        gateway=new.gateway,
        interval=new.plan.interval,
        interval_count=new.plan.interval_count,
        zone=new.merchant.zone,
        anchor_at=new.plan.starts_at,
        cycles=new.plan.cycles,
        cycles_left=new.plan.cycles,
        manage_token=new_token(),
        created_at=clock.now(),
        idempotency_hash=new.idempotency_hash,
        request_hash=new.request_hash,
        imported_from=new.imported_from,
    )


def _first_of(new: NewSubscription, row: Subscription) -> NewPayment:
    first = NewPayment(
        merchant=new.merchant,
        mode=new.mode,
        created_by=new.created_by,
        account_id=new.account_id,
        customer_name=new.customer_name,
        customer_email=new.customer_email,
        amount=new.amount,
        description=new.description,
        gateway=new.gateway,
        return_url=new.return_url,
        metadata=new.metadata,
        expires_in=FIRST_PAYABLE_FOR,
    )
    return _as_first(first, row)


def _as_first(new: NewPayment, row: Subscription) -> NewPayment:
    by_charge = row.collection == Collection.CHARGE
    saving = MethodSaving.REQUIRED if by_charge else MethodSaving.NO
    return replace(new, subscription_reference=row.reference, method_saving=saving)


def _require_dates(plan: Plan, zone: str) -> None:
    _require_calendar(plan, zone)
    if plan.starts_at is not None and plan.starts_at <= clock.now():
        raise InvalidSchedule("starts_at is past. Leave it out to start now.")
    if plan.starts_at is not None and plan.trial_days:
        raise InvalidSchedule(
            "Send starts_at or trial_days, not both: each says when the first cycle is due."
        )


def _require_calendar(plan: Plan, zone: str) -> None:
    """Raise InvalidSchedule for steps, or a last date, that no calendar has."""
    rhythm = Rhythm(
        interval=plan.interval,
        count=plan.interval_count,
        anchor_at=plan.starts_at or clock.now(),
        zone=zone,
    )
    rhythm.due_at((plan.cycles or 1) - 1)


def _is_repeat(new: NewPayment) -> bool:
    """Its dates were looked at the first time, and may have passed since."""
    key = new.idempotency_hash
    return key is not None and Payment.objects.filter(idempotency_hash=key).exists()


def _first_under_key(new: NewSubscription) -> Subscription | None:
    if not new.idempotency_hash:
        return None
    first = Subscription.objects.filter(idempotency_hash=new.idempotency_hash).first()
    if first is not None and first.request_hash != new.request_hash:
        raise KeyReused(
            "This Idempotency-Key was used with another body. Send a new key for a new subscription."
        )
    return first
