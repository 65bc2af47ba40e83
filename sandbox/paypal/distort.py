"""Faults that make PayPal say something untrue or odd about an order, a capture or a refund."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator

from sandbox.paypal.books import new_id
from sandbox.paypal.currencies import written
from sandbox.web import Hits, Json, Response, json_response

DEFAULT_WORD = "QUANTUM"
RAW_MARK = '"raw amount stands here"'
OTHER_PAYEE = {"email_address": "somebody-else@sandbox.example", "merchant_id": "SBX4N2THER9XY"}


def told(body: Json, status: int, hits: Hits) -> Response:
    """The answer with the lies that strike it; `args.raw` may stand where an amount stood."""
    response = json_response(distorted(body, hits), status)
    raw = hits.get("wrong_amount", {}).get("raw")
    if raw is None:
        return response
    return Response(status=status, body=response.body.replace(RAW_MARK.encode(), raw.encode()))


def distorted(body: Json, hits: Hits) -> Json:
    lies = [(lie, hits[name]) for name, lie in LIES.items() if name in hits]
    lied = copy.deepcopy(body) if lies else body
    for lie, args in lies:
        for thing in _things(lied):
            lie(thing, args)
    return lied


def other_currency(currency: str, args: Json) -> str:
    wanted: str = args.get("currency", "USD" if currency != "USD" else "EUR")
    return wanted


def said_of_a_capture(hits: Hits) -> Hits:
    """On a capture the other faults are what really happens, so only these are lies."""
    return {name: args for name, args in hits.items() if name in ABOUT_THE_ANSWER}


def _things(body: Json) -> Iterator[Json]:
    """Whatever in an answer has an amount, a status or a payee of its own: units, captures, refunds."""
    captures = []
    for unit in body.get("purchase_units", []):
        captures += unit.get("payments", {}).get("captures", [])
        yield unit
    yield from captures or [body]


def _wrong_amount(thing: Json, args: Json) -> None:
    if amount := thing.get("amount"):
        minor = args.get("amount_minor")
        lie = written(minor, amount["currency_code"]) if minor is not None else _hundredfold(amount["value"])
        amount["value"] = json.loads(RAW_MARK) if "raw" in args else lie


def _hundredfold(value: str) -> str:
    whole, _, fraction = value.partition(".")
    return f"{whole}{fraction or '00'}{'.00' if fraction else ''}"


def _wrong_currency(thing: Json, args: Json) -> None:
    if amount := thing.get("amount"):
        amount["currency_code"] = other_currency(amount["currency_code"], args)


def _wrong_reference(thing: Json, args: Json) -> None:
    if "custom_id" in thing:
        thing["custom_id"] = f"other-{thing['custom_id']}"
    if "id" in thing:
        thing["id"] = new_id()


def _wrong_account(thing: Json, args: Json) -> None:
    if "payee" in thing:
        thing["payee"] = OTHER_PAYEE


def _is_payment(thing: Json) -> bool:
    return "amount" in thing and "status" in thing


def _declined(thing: Json, args: Json) -> None:
    if _is_payment(thing):
        thing["status"] = "DECLINED"
        thing.pop("seller_receivable_breakdown", None)


def _pending(thing: Json, args: Json) -> None:
    if _is_payment(thing):
        thing["status"], thing["status_details"] = "PENDING", {"reason": args.get("word", "PENDING_REVIEW")}
        thing.pop("seller_receivable_breakdown", None)


def _unknown_status(thing: Json, args: Json) -> None:
    if "status" in thing:
        thing["status"] = args.get("word", DEFAULT_WORD)


LIES: dict[str, Callable[[Json, Json], None]] = {
    "wrong_amount": _wrong_amount,
    "wrong_currency": _wrong_currency,
    "wrong_ref": _wrong_reference,
    "wrong_account": _wrong_account,
    "decline": _declined,
    "pending": _pending,
    "unknown_status": _unknown_status,
}
ABOUT_THE_ANSWER = frozenset({"wrong_ref", "wrong_account", "unknown_status"})
