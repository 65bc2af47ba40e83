"""Subscriptions to the gateway's own plans: listed, fetched and disabled. None is ever charged here.

Source: https://paystack.com/docs/api/subscription/
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sandbox.clock import iso, read_iso
from sandbox.control import refusing
from sandbox.errors import Refused
from sandbox.paystack import reading, wire
from sandbox.paystack.api import accepted
from sandbox.paystack.books import Books, random_word
from sandbox.paystack.errors import ApiError, invalid
from sandbox.paystack.settings import Account
from sandbox.web import Call, Json, Response, Route, json_response
from sandbox.world import World

TABLE = "paystack.plan"
MEMBERS = {
    *("email", "first_name", "amount_minor", "currency", "interval", "next_payment_date", "status"),
    *("invoice_limit", "payments_count", "reference", "domain"),
}
STATUSES = ("active", "attention", "non-renewing", "completed", "cancelled")


@dataclass(kw_only=True, slots=True)
class Subscription:
    code: str
    email_token: str
    domain: str
    email: str
    first_name: str | None
    amount: int
    currency: str
    interval: str
    status: str
    next_payment_date: str | None
    invoice_limit: int
    payments_count: int
    reference: str | None
    created_at: float


class Plans:
    def __init__(self, world: World, books: Books) -> None:
        self._world, self._books = world, books
        self._rows = {code: Subscription(**row) for code, row in world.store.take(TABLE).items()}

    def control(self) -> Route:
        """`POST /control/plans/paystack` makes one, as an earlier system of the merchant did."""
        return Route("POST", "/control/plans/paystack", refusing(self._seed))

    def list_page(self, call: Call, account: Account) -> Response:
        per_page, page = reading.read_page(call.request.query)
        mine = [row for row in reversed(self._rows.values()) if row.domain == account.domain]
        start = (page - 1) * per_page
        meta = {
            "total": len(mine),
            "skipped": start,
            "perPage": per_page,
            "page": page,
            "pageCount": -(-len(mine) // per_page),
        }
        rows = [self._told(row, in_list=True) for row in mine[start : start + per_page]]
        return accepted("Subscriptions retrieved", rows, meta)

    def fetch(self, call: Call, account: Account) -> Response:
        row = self._find(call.params["code"], account)
        return accepted("Subscription retrieved successfully", self._told(row, in_list=False))

    def disable(self, call: Call, account: Account) -> Response:
        body = reading.read_body(call.request)
        row = self._rows.get(str(body.get("code")))
        active = row is not None and row.domain == account.domain and row.status in ("active", "attention")
        if row is None or not active or row.email_token != body.get("token"):
            raise ApiError("Subscription with code not found or already inactive", "not_found", status=404)
        row.status, row.next_payment_date = "non-renewing", None
        self._save(row)
        return accepted("Subscription disabled successfully")

    def _find(self, code: str, account: Account) -> Subscription:
        row = self._rows.get(code)
        if row is None or row.domain != account.domain:
            raise ApiError("Subscription not found", "not_found", status=404)
        return row

    def _seed(self, call: Call) -> Response:
        body = call.request.read_object()
        if strange := sorted(set(body) - MEMBERS):
            raise Refused(f"unknown member {strange[0]!r}; there are {', '.join(sorted(MEMBERS))}")
        try:
            row = self._read(body)
        except (ApiError, ValueError) as error:
            raise Refused(f"paystack could have no such subscription: {error}") from None
        self._save(row)
        return json_response({"subscription_code": row.code, "email_token": row.email_token})

    def _read(self, body: Json) -> Subscription:
        due, status = body.get("next_payment_date"), body.get("status", "active")
        if status not in STATUSES:
            raise invalid(f"status is one of {', '.join(STATUSES)}")
        return Subscription(
            code=f"SUB_{random_word(15)}",
            email_token=random_word(15),
            domain="live" if body.get("domain") == "live" else "test",
            email=reading.read_email(body),
            first_name=body.get("first_name"),
            amount=reading.read_amount({"amount": body.get("amount_minor")}),
            currency=reading.read_currency(body),
            interval=str(body.get("interval", "monthly")),
            status=status,
            next_payment_date=iso(read_iso(due)) if due else None,
            invoice_limit=int(body.get("invoice_limit", 0)),
            payments_count=int(body.get("payments_count", 1)),
            reference=body.get("reference"),
            created_at=self._world.clock.now(),
        )

    def _save(self, row: Subscription) -> None:
        self._rows[row.code] = row
        self._world.store.put(TABLE, row.code, asdict(row))

    def _told(self, row: Subscription, *, in_list: bool) -> Json:
        plan = {
            "name": f"{row.interval} plan",
            "plan_code": f"PLN_{row.code[4:]}",
            "description": None,
            "amount": row.amount,
            "interval": row.interval,
            "send_invoices": True,
            "send_sms": True,
            "currency": row.currency,
        }
        return {
            "domain": row.domain,
            "status": row.status,
            "quantity": 1,
            "subscription_code": row.code,
            "email_token": row.email_token,
            "amount": row.amount,
            "cron_expression": None,
            "next_payment_date": row.next_payment_date,
            "open_invoice": None,
            "createdAt": iso(row.created_at),
            "plan": plan,
            "authorization": self._authorization(row, in_list=in_list),
            "customer": {**wire.customer(row.email), "first_name": row.first_name},
            "invoice_limit": row.invoice_limit,
            "payments_count": row.payments_count,
            "most_recent_invoice": None,
            "metadata": None,
        }

    def _authorization(self, row: Subscription, *, in_list: bool) -> Json:
        """The card of the payment that the row names, which is the one that it is charged with."""
        paid = self._books.in_any_mode(row.reference) if row.reference else None
        told = (wire.authorization(self._books, paid) if paid else None) or {}
        # A list tells by a number what is true or false elsewhere.
        return {**told, "reusable": int(told["reusable"])} if told and in_list else told
