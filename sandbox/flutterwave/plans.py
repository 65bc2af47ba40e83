"""Subscriptions to the gateway's own payment plans: listed and cancelled. None is ever charged here.

Source: https://developer.flutterwave.com/docs/recurring-payments/payment-plans
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sandbox.clock import iso, read_iso
from sandbox.control import refusing
from sandbox.errors import Refused
from sandbox.flutterwave import reading
from sandbox.flutterwave.answers import accepted
from sandbox.flutterwave.books import customer_number, random_hex
from sandbox.flutterwave.errors import ApiError
from sandbox.flutterwave.settings import Account
from sandbox.flutterwave.transactions import paged
from sandbox.money import major
from sandbox.web import Call, Json, Response, Route, json_response
from sandbox.world import World

TABLE = "flutterwave.plan"
FIRST_ID, FIRST_PLAN_ID = 4_146, 3_657
MEMBERS = {"email", "name", "amount", "currency", "interval", "duration", "status", "created_at", "mode"}


@dataclass(kw_only=True, slots=True)
class Subscription:
    """A subscription; each has a plan of its own, whose number lies as far from the first one's."""

    id: int
    mode: str
    email: str
    name: str
    amount: int
    currency: str
    interval: str
    duration: int
    status: str
    created_at: float


class Plans:
    def __init__(self, world: World) -> None:
        self._world = world
        self._rows = {row["id"]: Subscription(**row) for row in world.store.take(TABLE).values()}

    def control(self) -> Route:
        """`POST /control/plans/flutterwave` makes one, as an earlier system of the merchant did."""
        return Route("POST", "/control/plans/flutterwave", refusing(self._seed))

    def list_page(self, call: Call, account: Account) -> Response:
        rows = map(_told, self._mine(account))
        return paged("Plan subscriptions fetched", rows, reading.read_page(call.request.query))

    def list_plans(self, call: Call, account: Account) -> Response:
        rows = map(_plan, self._mine(account))
        return paged("Payment plans fetched", rows, reading.read_page(call.request.query))

    def fetch_plan(self, call: Call, account: Account) -> Response:
        found = (row for row in self._mine(account) if str(_plan_id(row)) == call.params["id"])
        row = next(found, None)
        if row is None:
            raise ApiError("No plan was found for this id")
        return accepted("Payment plan fetched", _plan(row))

    def cancel(self, call: Call, account: Account) -> Response:
        found = (row for row in self._mine(account) if str(row.id) == call.params["id"])
        row = next(found, None)
        if row is None:
            raise ApiError("No subscription was found for this id")
        row.status = "cancelled"
        self._save(row)
        return accepted("Subscription cancelled", _told(row))

    def _mine(self, account: Account) -> list[Subscription]:
        return [row for row in reversed(self._rows.values()) if row.mode == account.mode]

    def _seed(self, call: Call) -> Response:
        body = call.request.read_object()
        if strange := sorted(set(body) - MEMBERS):
            raise Refused(f"unknown member {strange[0]!r}; there are {', '.join(sorted(MEMBERS))}")
        try:
            row = self._read(body)
        except (ApiError, ValueError) as error:
            raise Refused(f"flutterwave could have no such subscription: {error}") from None
        self._save(row)
        return json_response({"id": row.id, "plan": _plan_id(row)})

    def _read(self, body: Json) -> Subscription:
        currency, begun = reading.read_currency(body.get("currency")), body.get("created_at")
        return Subscription(
            id=FIRST_ID + len(self._rows),
            mode="live" if body.get("mode") == "live" else "test",
            email=reading.read_text(body, "email"),
            name=reading.read_text(body, "name"),
            amount=reading.read_amount(body.get("amount"), currency),
            currency=currency,
            interval=str(body.get("interval", "monthly")),
            duration=int(body.get("duration", 0)),
            status=str(body.get("status", "active")),
            created_at=read_iso(begun) if begun else self._world.clock.now(),
        )

    def _save(self, row: Subscription) -> None:
        self._rows[row.id] = row
        self._world.store.put(TABLE, str(row.id), asdict(row))


def _told(row: Subscription) -> Json:
    customer = {
        "id": customer_number(row.email),
        "customer_email": row.email,
        "customer_full_name": row.name,
    }
    return {
        "id": row.id,
        "amount": major(row.amount, row.currency),
        "customer": customer,
        "plan": _plan_id(row),
        "status": row.status,
        "created_at": iso(row.created_at),
    }


def _plan(row: Subscription) -> Json:
    return {
        "id": _plan_id(row),
        "name": f"{row.interval} plan",
        "amount": major(row.amount, row.currency),
        "interval": row.interval,
        "duration": row.duration,
        "status": "active",
        "currency": row.currency,
        "plan_token": f"rpp_{random_hex(20)}",
        "created_at": iso(row.created_at),
    }


def _plan_id(row: Subscription) -> int:
    return row.id - FIRST_ID + FIRST_PLAN_ID
