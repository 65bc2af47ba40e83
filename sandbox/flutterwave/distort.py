"""Faults that make the gateway say something untrue or odd about a transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sandbox.money import major
from sandbox.web import Hits, Json, Response

DEFAULT_WORD = "quantum"
RAW_MARK = "raw amount stands here"
AMOUNTS = ("amount", "charged_amount")


def distorted(data: Json, hits: Hits) -> Json:
    """A copy of a transaction's `data` with the lies that strike this answer."""
    told = dict(data)
    for name, lie in LIES.items():
        if name in hits:
            lie(told, hits[name])
    return told


def with_raw_amount(response: Response, hits: Hits) -> Response:
    """Put the text of `args.raw` where the amounts stand, be it a number or nonsense."""
    raw = hits.get("wrong_amount", {}).get("raw")
    if raw is None:
        return response
    return replace(response, body=response.body.replace(f'"{RAW_MARK}"'.encode(), raw.encode()))


def other_currency(currency: str, args: Json) -> str:
    """The wrong currency that a fault names, or else any that is not the right one."""
    return str(args.get("currency", "NGN" if currency != "NGN" else "GHS"))


def _wrong_amount(data: Json, args: Json) -> None:
    for name in AMOUNTS:
        if "raw" in args:
            data[name] = RAW_MARK
        elif "amount_minor" in args:
            data[name] = major(args["amount_minor"], data["currency"])
        else:
            data[name] *= 100


def _wrong_currency(data: Json, args: Json) -> None:
    data["currency"] = other_currency(data["currency"], args)


def _wrong_reference(data: Json, args: Json) -> None:
    data["tx_ref"], data["id"] = f"other-{data['tx_ref']}", data["id"] + 77


def _declined(data: Json, args: Json) -> None:
    data.update(status="failed", processor_response="Transaction declined")
    _unpaid(data)


def _pending(data: Json, args: Json) -> None:
    data.update(status="pending", processor_response="Transaction in progress")
    _unpaid(data)


def _unpaid(data: Json) -> None:
    data.update({name: None for name in ("app_fee", "amount_settled") if name in data})
    if "card" in data:
        data["card"] = {name: value for name, value in data["card"].items() if name != "token"}


def _unknown_status(data: Json, args: Json) -> None:
    data["status"] = args.get("word", DEFAULT_WORD)


LIES: dict[str, Callable[[Json, Json], None]] = {
    "wrong_amount": _wrong_amount,
    "wrong_currency": _wrong_currency,
    "wrong_ref": _wrong_reference,
    "decline": _declined,
    "pending": _pending,
    "unknown_status": _unknown_status,
}
ABOUT_THE_ANSWER = frozenset({"wrong_ref", "unknown_status"})


def said_of_a_charge(hits: Hits) -> Hits:
    """On a charge the other faults are what really happens, so only these are lies."""
    return {name: args for name, args in hits.items() if name in ABOUT_THE_ANSWER}
