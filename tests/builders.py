"""Objects for tests: each builder makes a whole, legal one, and takes what the test is about."""

from datetime import timedelta
from functools import cache
from typing import Any

from django.contrib.auth.hashers import make_password

from tillgate.api.accounts.tokens import token_pair
from tillgate.common import clock
from tillgate.common.crypto import encrypt
from tillgate.common.references import new_reference, new_token
from tillgate.customers.models import PaymentMethod
from tillgate.customers.services.methods import Payer, customer_for
from tillgate.events.models import Endpoint
from tillgate.events.services.listeners import forget_listeners
from tillgate.events.signing import new_secret
from tillgate.gateways.protocol import GatewayState, PaymentSnapshot
from tillgate.inbox.models import InboundEvent
from tillgate.merchants.models import GatewayHealth, Merchant, StoredAccount, User
from tillgate.merchants.roles import Role
from tillgate.merchants.services.logins import Device, start_login
from tillgate.merchants.services.staff import put_on_staff
from tillgate.merchants.services.stored_accounts import add_account
from tillgate.money import Money
from tillgate.payments.models import Attempt, Dispute, Payment, Refund, Surplus
from tillgate.payments.services.start import NewPayment
from tillgate.payments.services.sync import apply_answer
from tillgate.subscriptions.models import Cycle, Subscription
from tillgate.subscriptions.services.cycles import opens_at
from tillgate.subscriptions.states import COLLECTING

PASSWORD = "correct horse battery staple"


def make_merchant(**fields: Any) -> Merchant:
    defaults = {"reference": new_reference("MER"), "name": "Ada's Shop", "created_at": clock.now()}
    return Merchant.objects.create(**{**defaults, **fields})


def make_account(merchant: Merchant, key: str | None = None) -> StoredAccount:
    """A merchant's own Paystack account in test mode."""
    secrets = {"PAYSTACK_SECRET_KEY": key or f"sk_test_{new_token()}"}
    return add_account(merchant, "paystack", "test", secrets)


def make_user(username: str = "ada", **fields: Any) -> User:
    """An account whose e-mail is confirmed; the password of all is PASSWORD."""
    email = fields.pop("email", f"{username}@example.com")
    confirmed = {"confirmed_email": email.lower()} if fields.pop("confirmed", True) else {}
    defaults = {"password": _password_hash(), "date_joined": clock.now(), **confirmed}
    return User.objects.create(username=username, email=email, **{**defaults, **fields})


@cache
def _password_hash() -> str:
    return make_password(PASSWORD)  # Slow by design, so once.


def make_staff(merchant: Merchant, role: str = "owner", username: str | None = None) -> User:
    """Somebody who works for a merchant."""
    user = make_user(username or f"{role}-{merchant.pk}")
    put_on_staff(merchant, user, Role(role))
    return user


def access_token(user: User) -> str:
    """Sign somebody in."""
    return token_pair(start_login(user, Device()))[0]


def make_payment(merchant: Merchant | None = None, **fields: Any) -> Payment:
    now = clock.now()
    defaults = {
        "reference": new_reference("PAY"),
        "merchant": merchant or Merchant.objects.get(is_default=True),
        "mode": "test",
        "customer_name": "John Doe",
        "customer_email": "john@example.com",
        "amount_minor": 5_000,
        "currency": "NGN",
        "checkout_token": new_token(),
        "created_by": "guest",
        "created_at": now,
        "expires_at": now + timedelta(days=1),
    }
    return Payment.objects.create(**{**defaults, **fields})


def make_attempt(payment: Payment, **fields: Any) -> Attempt:
    reference = new_reference("ATT")
    defaults = {
        "reference": reference,
        "payment": payment,
        "gateway": "paystack",
        "mode": payment.mode,
        "status": "pending",
        "initiated_by": "customer",
        "gateway_reference": reference,
        "redirect_url": "https://checkout.paystack.com/abc",
        "access_code": "abc",
        "created_at": clock.now(),
    }
    return Attempt.objects.create(**{**defaults, **fields})


def make_snapshot(
    attempt: Attempt, state: GatewayState = GatewayState.SUCCEEDED, **fields: Any
) -> PaymentSnapshot:
    """What a gateway would say of an attempt whose payment was paid exactly as asked for."""
    amount = attempt.payment.amount
    defaults: dict[str, Any] = {
        "state": state,
        "gateway_reference": attempt.gateway_reference,
        "gateway_id": str(5_000_000_000 + attempt.pk),
        "mode": attempt.mode,
        "amount": amount,
        "requested": amount,
        "fee": Money(75, amount.currency),
        "channel": "card",
        "paid_at": clock.now(),
    }
    return PaymentSnapshot(**{**defaults, **fields})


def make_new_payment(merchant: Merchant, **fields: Any) -> NewPayment:
    """What a caller asks for."""
    defaults: dict[str, Any] = {
        "merchant": merchant,
        "mode": "test",
        "created_by": "key",
        "customer_name": "John Doe",
        "customer_email": "john@example.com",
        "amount": Money(5_000, "NGN"),
    }
    return NewPayment(**{**defaults, **fields})


def make_payment_in(status: str, merchant: Merchant | None = None, **fields: Any) -> Payment:
    """A payment in any status, with what the status says of money."""
    paid = {"completed_at": clock.now(), "received_minor": 5_000, "gateway": "paystack"}
    known: dict[str, dict[str, Any]] = {
        **dict.fromkeys(("completed", "disputed", "charged_back"), paid),
        "partially_refunded": {**paid, "refunded_minor": 2_000},
        "refunded": {**paid, "refunded_minor": 5_000},
        "review": {"received_minor": 5_000, "gateway": "paystack", "review_reason": "wrong_amount"},
        "expired": {"expires_at": clock.now() - timedelta(minutes=1)},
    }
    return make_payment(merchant, status=status, **{**known.get(status, {}), **fields})


def make_attempt_in(status: str, payment: Payment, **fields: Any) -> Attempt:
    """An attempt in any status, with the proof that a success needs."""
    proof: dict[str, Any] = {}
    if status == "succeeded":
        proof = {
            "gateway_id": new_token(),
            "verified_at": clock.now(),
            "received_minor": payment.amount_minor,
        }
        proof["received_currency"] = payment.currency
    return make_attempt(payment, status=status, **{**proof, **fields})


def make_refund(payment: Payment, attempt: Attempt, **fields: Any) -> Refund:
    defaults = {
        "reference": new_reference("REF"),
        "payment": payment,
        "attempt": attempt,
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "created_at": clock.now(),
    }
    return Refund.objects.create(**{**defaults, **fields})


def make_surplus(attempt: Attempt, **fields: Any) -> Surplus:
    """Money that came by a second transaction of an attempt."""
    payment = attempt.payment
    defaults = {
        "reference": new_reference("SUR"),
        "payment": payment,
        "attempt": attempt,
        "gateway": attempt.gateway,
        "mode": attempt.mode,
        "gateway_id": new_token(),
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "created_at": clock.now(),
    }
    Payment.objects.filter(pk=payment.pk).update(has_incidents=True)
    return Surplus.objects.create(**{**defaults, **fields})


def make_dispute(attempt: Attempt, **fields: Any) -> Dispute:
    """The customer's bank contests all of an attempt's money."""
    payment = attempt.payment
    defaults = {
        "reference": new_reference("DIS"),
        "payment": payment,
        "attempt": attempt,
        "gateway_id": new_token(),
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "created_at": clock.now(),
    }
    Payment.objects.filter(pk=payment.pk).update(has_incidents=True)
    return Dispute.objects.create(**{**defaults, **fields})


def make_settled(payment: Payment, **fields: Any) -> Attempt:
    """The attempt that settled a payment, with its entries, as if the gateway had just confirmed it."""
    attempt = make_attempt(payment)
    apply_answer(attempt, make_snapshot(attempt, **fields))
    attempt.refresh_from_db()
    attempt.payment.refresh_from_db()
    return attempt


def make_inbound_event(attempt: Attempt, **fields: Any) -> InboundEvent:
    """A stored event that says that an attempt was paid."""
    defaults = {
        "merchant": attempt.payment.merchant,
        "gateway": attempt.gateway,
        "mode": attempt.mode,
        "dedupe_key": new_token(),
        "kind": "charge.success",
        "gateway_reference": attempt.gateway_reference,
        "claims_money": True,
        "headers": {},
        "body": b"{}",
        "received_at": clock.now(),
    }
    return InboundEvent.objects.create(**{**defaults, **fields})


def make_ill(gateway: str, merchant: Merchant | None = None, **fields: Any) -> GatewayHealth:
    """A gateway that has just failed a merchant three times, and rests for half a minute."""
    defaults = {
        "merchant": merchant or Merchant.objects.get(is_default=True),
        "gateway": gateway,
        "mode": "test",
        "failures": 3,
        "open_until": clock.now() + timedelta(seconds=30),
        "changed_at": clock.now(),
    }
    return GatewayHealth.objects.create(**{**defaults, **fields})


def make_method(merchant: Merchant | None = None, **fields: Any) -> PaymentMethod:
    """John's Visa at Paystack; `token` is the plain one."""
    customer = fields.pop("customer", None) or customer_for(
        Payer(
            merchant=merchant or Merchant.objects.get(is_default=True),
            mode="test",
            email="john@example.com",
            name="John Doe",
        )
    )
    defaults = {
        "reference": new_reference("PM"),
        "customer": customer,
        "gateway": "paystack",
        "kind": "card",
        "brand": "visa",
        "last4": "4081",
        "expires_month": "2099-12",
        "token": encrypt(fields.pop("token", None) or f"AUTH_{new_token()}"),
        "signature": f"SIG_{new_token()}",
        "charged_as": customer.email,
        "created_at": clock.now(),
    }
    return PaymentMethod.objects.create(**{**defaults, **fields})


def make_subscription(merchant: Merchant | None = None, **fields: Any) -> Subscription:
    """NGN 50.00 every month since today, charged by a saved card; its first cycle is paid."""
    now = clock.now()
    merchant = merchant or Merchant.objects.get(is_default=True)
    if "payment_method" not in fields and fields.get("collection", "charge") == "charge":
        fields["payment_method"] = make_method(merchant)
    defaults = {
        "reference": new_reference("SUB"),
        "merchant": merchant,
        "mode": "test",
        "status": "active",
        "customer_name": "John Doe",
        "customer_email": "john@example.com",
        "created_by": "key",
        "amount_minor": 5_000,
        "currency": "NGN",
        "interval": "monthly",
        "zone": "Africa/Lagos",
        "anchor_at": now,
        "next_index": 1,
        "manage_token": new_token(),
        "created_at": now,
        "activated_at": now,
    }
    subscription = Subscription(**{**defaults, **fields})
    if "next_opens_at" not in fields and subscription.status in COLLECTING:
        subscription.next_opens_at = opens_at(subscription, subscription.next_index)
    subscription.save()
    return subscription


def make_cycle(subscription: Subscription, **fields: Any) -> Cycle:
    """A cycle of a subscription, its latest where nothing else is said, with the payment that collects it."""
    index = fields.get("index", max(subscription.next_index - 1, 0))
    if "payment" not in fields:
        fields["payment"] = make_payment(
            subscription.merchant,
            mode=subscription.mode,
            customer_name=subscription.customer_name,
            customer_email=subscription.customer_email,
            amount_minor=subscription.amount_minor,
            currency=subscription.currency,
            created_by="schedule",
            subscription_reference=subscription.reference,
        )
    defaults = {
        "subscription": subscription,
        "index": index,
        "due_at": subscription.rhythm.due_at(index) if subscription.anchor_at else clock.now(),
    }
    return Cycle.objects.create(**{**defaults, **fields})


def make_endpoint(merchant: Merchant | None = None, **fields: Any) -> Endpoint:
    """An address that is told everything; `secret` is the plain one. Every process knows it at once."""
    now = clock.now()
    defaults = {
        "reference": new_reference("WHE"),
        "merchant": merchant or Merchant.objects.get(is_default=True),
        "mode": "test",
        "url": f"https://shop.example/{new_token()}",
        "events": ["*"],
        "added_by": "sk_test_abcd…",
        "secret": encrypt(fields.pop("secret", None) or new_secret()),
        "listens_since": now,
        "created_at": now,
        **({"disabled_at": now} if fields.get("enabled") is False else {}),
    }
    endpoint = Endpoint.objects.create(**{**defaults, **fields})
    forget_listeners()
    return endpoint
