"""Saved methods: kept from a payment that succeeded, charged by their token, forgotten for good."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet

from tillgate.common import clock
from tillgate.common.crypto import CannotDecrypt, Rotation, decrypt, encrypt, rotate
from tillgate.common.references import new_reference
from tillgate.customers.jobs import forget_method
from tillgate.customers.models import Customer, PaymentMethod
from tillgate.gateways.protocol import SavedMethod
from tillgate.merchants.models import Merchant, User

EXPIRY_NOTICES = (7, 30)  # Days before a card's last, the nearest first.
BATCH = 200


@dataclass(frozen=True, kw_only=True)
class Payer:
    """Who pays, as the payment names them; `account` is whose history it is in, if anybody's."""

    merchant: Merchant
    mode: str
    email: str
    name: str
    account: User | None = None
    subscription: str = ""

    @property
    def owner(self) -> str:
        """Under which name their methods are kept: the e-mail, in small letters.

        Somebody signed in may name an e-mail that they have not shown to be theirs. What is saved then is
        neither that person's nor theirs for anything else: it is kept for the one subscription.
        """
        email = self.email.lower()
        if self.account is None or self.account.confirmed_email == email:
            return email
        assert self.subscription, "a method is kept for a subscription"
        return self.subscription


def keep_method(payer: Payer, gateway: str, saved: SavedMethod) -> PaymentMethod:
    """Store a method that a payment has left, once: the same card, or the same token, is the same row.

    In the transaction of the payment's success; whoever calls has seen the payer's consent.
    """
    assert connection.in_atomic_block, "a method is kept with the success that brought it"
    customer = _locked_customer(payer)
    mine = PaymentMethod.objects.usable().filter(customer=customer, gateway=gateway)
    told = _told(saved, payer)
    if known := _same(mine, saved.token, told["signature"]):
        return _renew(known, told)
    reference = new_reference("PM")
    return PaymentMethod.objects.create(
        reference=reference, customer=customer, gateway=gateway, created_at=clock.now(), **told
    )


def token_of(method: PaymentMethod) -> str:
    """Return the gateway's token. Raises CannotDecrypt when its key was taken away."""
    return decrypt(method.token)


@transaction.atomic
def customer_for(payer: Payer) -> Customer:
    """Return the merchant's customer whom a payer is; made at the first call."""
    customer, _ = Customer.objects.get_or_create(
        merchant=payer.merchant,
        mode=payer.mode,
        email=payer.owner,
        defaults={"reference": new_reference("CUS"), "name": payer.name, "created_at": clock.now()},
    )
    return customer


def hold_method(method_id: int) -> PaymentMethod:
    """Return a method that nobody removes before the caller's transaction has ended."""
    assert connection.in_atomic_block, "what is held is held in a transaction"
    owner = PaymentMethod.objects.values_list("customer_id", flat=True).get(pk=method_id)
    # The lock under which methods are kept: the same card may come again in this very moment.
    Customer.objects.select_for_update(no_key=True).get(pk=owner)
    return PaymentMethod.objects.select_related("customer").get(pk=method_id)


@transaction.atomic
def remove_method(method_id: int, *, erase: bool = False) -> PaymentMethod:
    """Let nobody charge a method any more, and have its gateway told; a repeat changes nothing.

    With `erase`, nothing is kept of it once the gateway was told, also of one that was removed before.
    Whoever calls has seen that nothing live is charged by it.
    """
    method = hold_method(method_id)
    if method.removed_at is None or erase:
        method.removed_at = method.removed_at or clock.now()
        method.save(update_fields=["removed_at"])
        forget_method.enqueue(method.pk, erase)
    return method


def methods_expiring(on: date) -> list[tuple[PaymentMethod, int]]:
    """Return the methods whose owners are to be told on this day, each with its notice: 30 or 7 days.

    That many days, or fewer, before the last day of `expires_month`. A notice that was missed is given
    late, but not together with the next. `note_expiry_told` says that it was given.
    """
    months = {f"{on + timedelta(days=ahead):%Y-%m}" for ahead in range(EXPIRY_NOTICES[-1] + 1)}
    methods = PaymentMethod.objects.usable().filter(expires_month__in=months).order_by("pk")
    notices = ((method, _notice(method, on)) for method in methods.select_related("customer__merchant"))
    return [(method, days) for method, days in notices if days]


def note_expiry_told(method: PaymentMethod, days: int) -> bool:
    """Claim a notice of `methods_expiring`, in the transaction that gives it; False: it has been given, or
    the method is another card by now."""
    same = PaymentMethod.objects.usable().filter(pk=method.pk, expires_month=method.expires_month)
    untold = same.filter(expiry_told_days=method.expiry_told_days)
    return untold.update(expiry_told_days=days) == 1


def rotate_tokens() -> Rotation:
    """Encrypt every token anew with the first of TILLGATE_ENCRYPTION_KEYS, so that the others may go.

    Works beside the running product. A token that no key opens stays as it is.
    """
    done = unreadable = last = 0
    kept = PaymentMethod.objects.exclude(token="")  # Of a person who was taken out, nothing is left.
    while batch := list(kept.filter(pk__gt=last).order_by("pk")[:BATCH]):
        with transaction.atomic():
            readable = sum(map(_rotate, batch))
        last, done, unreadable = batch[-1].pk, done + readable, unreadable + len(batch) - readable
    return Rotation(done=done, unreadable=unreadable)


def _told(saved: SavedMethod, payer: Payer) -> dict[str, str]:
    return {
        "kind": saved.kind[:30],
        "brand": saved.brand[:30],
        "last4": saved.last4[:4],
        "expires_month": saved.expires_month[:7],
        "signature": saved.signature[:100],
        # Both of one payment: the gateway takes a token with the e-mail that it was saved under alone.
        "token": encrypt(saved.token),
        "charged_as": payer.email,
    }


def _renew(method: PaymentMethod, told: dict[str, str]) -> PaymentMethod:
    changed: dict[str, str | None] = dict(told)
    if method.expires_month != told["expires_month"]:
        changed["expiry_told_days"] = None  # The bank has sent a new card, whose end nobody was told of.
    for name, value in changed.items():
        setattr(method, name, value)
    method.save(update_fields=list(changed))
    return method


def _locked_customer(payer: Payer) -> Customer:
    # Two payments of one person may end in the same moment.
    return Customer.objects.select_for_update(no_key=True).get(pk=customer_for(payer).pk)


def _same(mine: QuerySet[PaymentMethod], token: str, card: str) -> PaymentMethod | None:
    if card and (named := mine.filter(signature=card).first()):
        return named
    unnamed = mine.filter(signature="") if card else mine
    return next((method for method in unnamed if _has_token(method, token)), None)


def _has_token(method: PaymentMethod, token: str) -> bool:
    try:
        return token_of(method) == token
    except CannotDecrypt:
        return False  # A key that was lost keeps no payment from being settled.


def _notice(method: PaymentMethod, on: date) -> int | None:
    left = (_last_day(method.expires_month) - on).days
    days = next((days for days in EXPIRY_NOTICES if left <= days), None)
    told = method.expiry_told_days
    return days if days and (told is None or days < told) else None


def _last_day(month: str) -> date:
    year, number = map(int, month.split("-"))
    return date(year, number, monthrange(year, number)[1])


def _rotate(method: PaymentMethod) -> bool:
    try:
        token = rotate(method.token)
    except CannotDecrypt:
        return False
    # Where another token was saved meanwhile, that one is encrypted with the first key already.
    PaymentMethod.objects.filter(pk=method.pk, token=method.token).update(token=token)
    return True
