"""All that a merchant can have in one mode, and a request to each door that would change or show it."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import models

from tests.api.client import ApiClient
from tests.api.test_logo import png
from tests.builders import (
    access_token,
    make_attempt_in,
    make_cycle,
    make_dispute,
    make_endpoint,
    make_method,
    make_payment,
    make_payment_in,
    make_refund,
    make_settled,
    make_staff,
    make_subscription,
    make_surplus,
    make_user,
)
from tillgate.common import clock
from tillgate.common.crypto import encrypt
from tillgate.common.references import new_reference, new_token
from tillgate.customers.models import Customer, PaymentMethod
from tillgate.customers.services.methods import Payer, customer_for
from tillgate.events.models import Delivery, Endpoint, OutboxEvent
from tillgate.events.services.endpoints import send_test
from tillgate.merchants.models import (
    ApiKey,
    Approval,
    AuditEntry,
    Membership,
    Merchant,
    StoredAccount,
    User,
)
from tillgate.merchants.roles import Role, Scope
from tillgate.merchants.services.audit import Actor, record
from tillgate.merchants.services.keys import NewKey, create_key
from tillgate.merchants.services.logins import Device, start_login
from tillgate.payments.models import Attempt, Dispute, Payment, Refund, Surplus
from tillgate.subscriptions.models import Subscription

# What a request to a door carries, so that it would do something. A writing door without a line here fails.
BODIES: dict[str, dict[str, Any]] = {
    "POST api/v1/payments": {"customer_name": "Eve", "customer_email": "eve@example.net", "amount": 7},
    "POST api/v1/payments/<str:reference>/attempts": {},
    "POST api/v1/payments/<str:reference>/cancel": {},
    "POST api/v1/payments/<str:reference>/resolve": {"decision": "refund"},
    "POST api/v1/payments/<str:reference>/refunds": {"amount": 1},
    "POST api/v1/payments/<str:reference>/surplus/<str:surplus>/refund": {},
    "POST api/v1/payments/<str:reference>/disputes/<str:dispute>/evidence": {"text": "Signed for."},
    "POST api/v1/subscriptions": {
        "customer_name": "Eve",
        "customer_email": "eve@example.net",
        "amount": 7,
        "interval": "weekly",
    },
    "PATCH api/v1/subscriptions/<str:reference>": {"amount": 60},
    "POST api/v1/subscriptions/<str:reference>/pause": {},
    "POST api/v1/subscriptions/<str:reference>/resume": {},
    "POST api/v1/subscriptions/<str:reference>/cancel": {},
    "DELETE api/v1/payment-methods/<str:reference>": {},
    "POST api/v1/staff": {"username": "newcomer", "role": "auditor"},
    "PATCH api/v1/staff/<str:reference>": {"role": "manager"},
    "DELETE api/v1/staff/<str:reference>": {},
    "POST api/v1/keys": {"mode": "test", "scopes": ["read"]},
    "DELETE api/v1/keys/<str:reference>": {},
    "POST api/v1/keys/<str:reference>/rotate": {"overlap_hours": 1},
    "POST api/v1/approvals/<str:reference>/approve": {},
    "POST api/v1/approvals/<str:reference>/reject": {},
    "PATCH api/v1/merchant": {"color": "#123456"},
    "PUT api/v1/merchant/logo": {},  # Its body is a picture.
    "DELETE api/v1/merchant/logo": {},
    "POST api/v1/gateway-accounts": {
        "gateway": "paypal",
        "mode": "{mode}",
        "secrets": {"PAYPAL_CLIENT_ID": "i" * 20, "PAYPAL_CLIENT_SECRET": "s" * 20, "PAYPAL_WEBHOOK_ID": "w"},
    },
    "DELETE api/v1/gateway-accounts/<str:reference>": {},
    "POST api/v1/gateway-accounts/<str:reference>/secrets": {
        "secrets": {"PAYSTACK_SECRET_KEY": "sk_{mode}_the_next_one_of_this_shop"},
        "same_account": True,
    },
    "POST api/v1/gateway-accounts/<str:reference>/forget-former": {},
    "POST api/v1/webhook-endpoints": {"url": "http://127.0.0.1:9/hook"},
    "PATCH api/v1/webhook-endpoints/<str:reference>": {"description": "Orders"},
    "DELETE api/v1/webhook-endpoints/<str:reference>": {},
    "POST api/v1/webhook-endpoints/<str:reference>/rotate-secret": {},
    "POST api/v1/webhook-endpoints/<str:reference>/test": {},
    "POST api/v1/events/<str:reference>/redeliver": {},
    "DELETE api/v1/me/logins": {},
    "DELETE api/v1/me/logins/<str:reference>": {},
    "DELETE api/v1/me/memberships/<str:reference>": {},
    "POST api/v1/me/memberships/<str:reference>/accept": {},
    "POST api/v1/me/proof": {"password": "wrong horse"},
    "POST api/v1/me/otp": {"password": "wrong horse"},
    "DELETE api/v1/me/otp": {"password": "wrong horse"},
    "POST api/v1/me/otp/confirm": {"otp": "123456"},
    "POST api/v1/me/subscriptions/<str:reference>/stop": {},
    "POST dukka/api/initialize-payment": {
        "email": "eve@example.net",
        "amount": 7,
        "subscription_plan": True,  # Without its interval: it opens no session at a gateway.
    },
    "POST dukka/api/stop-payment/<int:number>": {},
}
# Of a person's own account, whatever merchant they pay or work for.
PERSONAL = ("api/v1/me", "dukka/api")
# Of which object the first id in a path is; a door whose path has one and begins otherwise fails.
WHOSE = {
    "payments": "payment",
    "refunds": "refund",
    "subscriptions": "subscription",
    "payment-methods": "method",
    "staff": "membership",
    "keys": "key",
    "approvals": "approval",
    "gateway-accounts": "account",
    "webhook-endpoints": "endpoint",
    "events": "event",
    "me/subscriptions": "subscription",
    "me/logins": "login",
    "me/memberships": "membership",
}
# Where another one than that is needed, for the request to do something.
IN_STATE = {"/cancel": "pending", "/resolve": "review", "/resume": "paused"}


@dataclass
class World:
    """One object of each kind. `words` are what nobody else may ever see."""

    merchant: Merchant
    mode: str
    rows: dict[str, Any] = field(default_factory=dict)

    @property
    def words(self) -> set[str]:
        rows = self.rows.values()
        told = {row.reference for row in rows if hasattr(row, "reference")}
        told |= {row.checkout_token for row in rows if isinstance(row, Payment)}
        told |= {row.manage_token for row in rows if isinstance(row, Subscription)}
        told |= {row.prefix for row in rows if isinstance(row, ApiKey)}
        told |= {row.url for row in rows if isinstance(row, Endpoint)}
        return told | {self.email, self.rows["colleague"].username}

    @property
    def email(self) -> str:
        return f"customer-of-{self.merchant.pk}-{self.mode}@example.com"

    def path(self, door: str, **other: str) -> str:
        """The address of a door for this world's own objects, or for `other` ones by the parameter's name."""
        route = door.split()[1]
        own = {
            "surplus": self.rows["surplus"].reference,
            "dispute": self.rows["dispute"].reference,
        }
        if "<str:reference>" in route:
            ending = "/" + route.rpartition("/")[2]
            kind = IN_STATE.get(ending, WHOSE[route.removeprefix("api/v1/").partition("/<")[0]])
            if route.startswith("api/v1/subscriptions/") and ending == "/cancel":
                kind = "subscription"
            own["reference"] = self.rows[kind].reference
        for name, reference in (own | other).items():
            route = route.replace(f"<str:{name}>", reference)
        route = route.replace("<int:number>", str(self.rows["payment"].pk))
        assert "<" not in route, f"{door} has a parameter that nobody fills"
        return f"/{route}"


def make_world(merchant: Merchant, mode: str = "test") -> World:
    """One of all there is."""
    world = World(merchant, mode)
    of = {"customer_email": world.email, "mode": mode}
    payment = make_payment(merchant, **of)
    settled = make_settled(payment)
    reviewed = make_payment_in("review", merchant, **of)
    make_attempt_in("succeeded", reviewed)
    customer = customer_for(Payer(merchant=merchant, mode=_mode(mode), email=world.email, name="Cleo"))
    asked_by, colleague = (_person(merchant, mode, role) for role in ("manager", "auditor"))
    endpoint = make_endpoint(merchant, mode=mode)
    world.rows = {
        "payment": settled.payment,
        "attempt": settled,
        "pending": make_payment(merchant, **of),
        "review": reviewed,
        "surplus": make_surplus(settled),
        "refund": make_refund(payment, settled, amount_minor=100, status="succeeded"),
        "dispute": make_dispute(settled),
        "method": make_method(merchant, customer=customer),
        "subscription": make_subscription(merchant, payment_method=_method(customer), **of),
        "paused": make_subscription(merchant, payment_method=_method(customer), status="paused", **of),
        "key": create_key(merchant, NewKey(mode=_mode(mode)))[0],
        "colleague": colleague,
        "membership": Membership.objects.get(user=colleague),
        "login": start_login(colleague, Device()),
        "approval": make_approval(payment, asked_by),
        "account": _account(merchant, mode),
        "endpoint": endpoint,
        "event": send_test(endpoint.pk),
        "entry": record(
            Actor(kind="system", name="test"), merchant, "thing.done", "X-1", {"mode": mode, "a": world.email}
        ),
    }
    make_cycle(world.rows["subscription"], index=0, payment=make_payment(merchant, **of))
    return world


def make_approval(payment: Payment, asked_by: User, **fields: Any) -> Approval:
    """Somebody's wish to send back 1.00, which waits."""
    now = clock.now()
    defaults = {
        "reference": new_reference("APR"),
        "merchant": payment.merchant,
        "mode": payment.mode,
        "payment_reference": payment.reference,
        "amount_minor": 100,
        "currency": payment.currency,
        "idempotency_hash": new_token(),
        "request_hash": "x",
        "requested_by": asked_by,
        "created_at": now,
        "expires_at": now + timedelta(days=7),
    }
    return Approval.objects.create(**{**defaults, **fields})


def make_callers(merchant: Merchant, mode: str = "test") -> dict[str, ApiClient]:
    """A caller of each kind: the roles, a key of each single scope, a publishable key, others."""
    people = {role: ApiClient(access_token(make_staff(merchant, role, f"{role}-here"))) for role in Role}
    keys = {
        scope: ApiClient(create_key(merchant, NewKey(mode=_mode(mode), scopes=[scope]))[1])
        for scope in (Scope.CREATE, Scope.REFUND, Scope.READ, Scope.ADMIN)
    }
    page = create_key(merchant, NewKey(mode=_mode(mode), is_publishable=True))[1]
    others = {
        "pk": ApiClient(page),
        "customer": ApiClient(access_token(make_user("cleo"))),
        "guest": ApiClient(),
    }
    return {
        **{role.value: it for role, it in people.items()},
        **{s.value: it for s, it in keys.items()},
        **others,
    }


def call(caller: ApiClient, door: str, path: str, *, mode: str = "test", **members: Any) -> Any:
    """Send the request that a door takes."""
    method = door.partition(" ")[0].lower()
    if method == "get":
        return caller.get(path)
    if door == "PUT api/v1/merchant/logo":
        return caller.put(path, b"no picture" if members else png(), content_type="image/png")
    body = json.loads(json.dumps(BODIES[door]).replace("{mode}", mode)) | members
    headers = {"Idempotency-Key": "the-key"}
    return getattr(caller, method)(path, body, content_type="application/json", headers=headers)


def snapshot(merchant: Merchant) -> dict[str, Any]:
    """Every row of a merchant, to be compared with itself later."""
    below = {"payment__merchant": merchant}
    of: list[tuple[type[models.Model], dict[str, Any]]] = [
        *((model, {"merchant": merchant}) for model in (Payment, Subscription, Customer, ApiKey, Membership)),
        *((model, below) for model in (Attempt, Refund, Surplus, Dispute)),
        (PaymentMethod, {"customer__merchant": merchant}),
        *((model, {"merchant": merchant}) for model in (Approval, StoredAccount, Endpoint, OutboxEvent)),
        (Delivery, {"endpoint__merchant": merchant}),
        (AuditEntry, {"merchant_id": merchant.pk}),
    ]
    return {model.__name__: _rows(model, filters) for model, filters in of}


def _rows(model: type[models.Model], filters: dict[str, Any]) -> list[dict[str, Any]]:
    rows = model._default_manager.filter(**filters).order_by("pk").values()
    return [{name: value for name, value in row.items() if name != "last_used_at"} for row in rows]


def _person(merchant: Merchant, mode: str, role: str) -> User:
    return make_staff(merchant, role, f"{role}-of-{merchant.pk}-{mode}")


def _account(merchant: Merchant, mode: str) -> StoredAccount:
    """As the door would, which takes none of live mode in a local installation."""
    secrets = {"PAYSTACK_SECRET_KEY": f"sk_{mode}_of_{merchant.pk}_{new_token()}"}
    now = clock.now()
    return StoredAccount.objects.create(
        reference=new_reference("GAC"),
        merchant=merchant,
        gateway="paystack",
        mode=mode,
        secrets=encrypt(json.dumps(secrets)),
        hint="HINT",
        created_at=now,
        changed_at=now,
    )


def _method(customer: Customer) -> PaymentMethod:
    return make_method(customer.merchant, customer=customer)


def _mode(mode: str) -> Any:
    return mode
