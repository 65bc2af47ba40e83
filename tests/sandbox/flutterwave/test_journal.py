"""The journal and what the API tells agree, whatever happened in between."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from tests.sandbox.conftest import Json
from tests.sandbox.flutterwave.conftest import Shop

OUTCOMES = ("success", "decline", "abandon", "pending", "twice", "other_amount")
CHARGES = ("success", "insufficient_funds", "pending", "deactivated")


def listed(shop: Shop, path: str) -> Iterator[Json]:
    page = 1
    while rows := shop.get(path, page=page).json(parse_float=Decimal)["data"]:
        yield from rows
        page += 1


def live(shop: Shop, chance: random.Random, step: int) -> None:
    """One thing that a shop, a customer, a card issuer or time may do."""
    reference = f"r-{step}"
    shop.open(reference, amount=str(Decimal(chance.randrange(1, 10**7)).scaleb(-2)))
    outcome = chance.choice(OUTCOMES)
    more = {"amount_minor": chance.randrange(1, 10**6)} if outcome == "other_amount" else {}
    paid = shop.pay(reference, outcome, **more)["transaction"]
    if paid and paid["status"] == "successful":
        shop.refund(paid["id"], amount=str(Decimal(chance.randrange(1, 10**5)).scaleb(-2)))
    shop.set_next(chance.choice(CHARGES))
    shop.charge(shop.verify("first")["card"]["token"], f"c-{step}", amount=chance.randrange(1, 900))
    shop.advance(chance.choice((0, 31, 61)))


@pytest.mark.parametrize("seed", range(4))
def test_every_movement_is_there_once(shop: Shop, seed: int) -> None:
    chance = random.Random(seed)
    shop.token()
    for step in range(12):
        live(shop, chance, step)
    shop.advance(120)

    assert moved(shop, "charge") == told(shop, "/transactions", "charged_amount", "successful".__eq__)
    assert moved(shop, "refund") == told(shop, "/refunds", "amount_refunded", is_completed)


def moved(shop: Shop, kind: str) -> list[int]:
    return sorted(row["amount_minor"] for row in shop.journal() if row["kind"] == kind and row["ok"])


def told(shop: Shop, path: str, amount: str, counts: Callable[[str], bool]) -> list[int]:
    return sorted(int(row[amount] * 100) for row in listed(shop, path) if counts(row["status"]))


def is_completed(status: str) -> bool:
    return status.startswith("completed")
