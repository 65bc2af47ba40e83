"""Faults that make the gateway say something untrue or odd about a transaction."""

from __future__ import annotations

import json
from collections.abc import Callable

from sandbox.web import Hits, Json, Response

DEFAULT_WORD = "quantum"
RAW_MARK = '"raw amount stands here"'


def distorted(data: Json, hits: Hits) -> Json:
    """A copy of a transaction's `data` with the lies that strike this answer."""
    told = dict(data)
    for name, lie in LIES.items():
        if name in hits:
            lie(told, hits[name])
    return told


def with_raw_amount(response: Response, hits: Hits) -> Response:
    """Put the text of `args.raw` where the amount stands, be it a number or nonsense."""
    raw = hits.get("wrong_amount", {}).get("raw")
    if raw is None:
        return response
    return Response(status=response.status, body=response.body.replace(RAW_MARK.encode(), raw.encode(), 1))


def _wrong_amount(data: Json, args: Json) -> None:
    data["amount"] = json.loads(RAW_MARK) if "raw" in args else args.get("amount_minor", data["amount"] * 100)


def _wrong_currency(data: Json, args: Json) -> None:
    data["currency"] = args.get("currency", "NGN" if data["currency"] != "NGN" else "GHS")


def _wrong_reference(data: Json, args: Json) -> None:
    data["reference"], data["id"] = f"other-{data['reference']}", data["id"] + 77


def _other_mode(data: Json, args: Json) -> None:
    data["domain"] = "live" if data["domain"] == "test" else "test"


def _declined(data: Json, args: Json) -> None:
    data["status"], data["gateway_response"] = "failed", "Declined"
    _unpaid(data)


def _pending(data: Json, args: Json) -> None:
    data["status"], data["gateway_response"] = "pending", "Transaction in progress"
    _unpaid(data)


def _unpaid(data: Json) -> None:
    data.update({name: None for name in ("paid_at", "paidAt", "fees") if name in data})


def _unknown_status(data: Json, args: Json) -> None:
    data["status"] = args.get("word", DEFAULT_WORD)


LIES: dict[str, Callable[[Json, Json], None]] = {
    "wrong_amount": _wrong_amount,
    "wrong_currency": _wrong_currency,
    "wrong_ref": _wrong_reference,
    "test_mode": _other_mode,
    "decline": _declined,
    "pending": _pending,
    "unknown_status": _unknown_status,
}
ABOUT_THE_ANSWER = frozenset({"wrong_ref", "test_mode", "unknown_status"})


def said_of_a_charge(hits: Hits) -> Hits:
    """On a charge the other faults are what really happens, so only these are lies."""
    return {name: args for name, args in hits.items() if name in ABOUT_THE_ANSWER}
