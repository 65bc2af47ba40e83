"""The table of cases × gateways: which run, and which cannot, with the gateway's reason.

What is about renewals has a table of its own: the cases of the gateway's answers are tried once more at a
charge of a saved method. Of G-29 the lists of refunds are here; the reports of settlements come with
settlements. G-20 tries certificates; names that do not resolve would have to ask a real name server, and
end in the same refused connection.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tillgate.gateways.registry import GATEWAYS

IDS = frozenset(
    {f"G-{number:02}" for number in range(1, 31)} - {"G-23"} | {f"W-{number:02}" for number in range(1, 14)}
)


RENEWALS = frozenset(
    {"G-01", "G-02", "G-04", "G-05", "G-07", "G-14", "G-16", "G-23", "W-03", "C-02", "C-03"}
    | {"T-04", "T-05", "T-06", "T-09", "T-10"}
)


@dataclass(frozen=True, kw_only=True)
class Way:
    """How money comes in by one gateway, and what the sandbox calls the calls on that way.

    After `take` we know that the money came; for a gateway that captures, `take` moves it. `look` asks
    what became of an attempt, `list` what became of its refunds. `charge` takes money by a saved method.
    """

    currency: str
    start: str
    take: str
    look: str
    charge: str
    list: str = "list"
    refund: str = "refund"
    captures: bool = False
    resends: bool = True  # A lost charge that it does not know; else a person has to say that none was made.
    without_decimals: str = "XOF"
    other_currency: str = "GHS"

    @property
    def operations(self) -> tuple[str, ...]:
        """Each call on the way from the first session to the last refund, once."""
        token = ("token",) if self.captures else ()
        return tuple(dict.fromkeys((*token, self.start, self.look, self.take, self.refund, self.list)))


WAYS = {
    "paystack": Way(currency="NGN", start="initialize", take="verify", look="verify", charge="charge"),
    "flutterwave": Way(
        currency="NGN", start="payments", take="verify", look="verify", charge="tokenized", resends=False
    ),
    "paypal": Way(
        currency="USD",
        start="order",
        take="capture",
        look="get",
        charge="order",
        list="get",
        captures=True,
        without_decimals="JPY",
        other_currency="EUR",
    ),
}

EXCEPT: dict[tuple[str, str], str] = {
    ("G-12", "flutterwave"): "no answer of Flutterwave's names the mode; the key alone decides it",
    ("G-12", "paypal"): "no answer of PayPal's names the mode; the host alone decides it",
    ("G-16", "flutterwave"): "only a charge of a saved card is refused as a duplicate, not a hosted page",
    (
        "G-18",
        "flutterwave",
    ): "Flutterwave tells of reversals and disputes by e-mail only, not through its API",
    ("G-19", "paystack"): "a secret key of Paystack's is no token and does not expire",
    ("G-19", "flutterwave"): "a secret key of Flutterwave's is no token and does not expire",
}
RUN: set[tuple[str, str]] = set()
RENEWED: set[tuple[str, str]] = set()


def cases(case: str, *, only: tuple[str, ...] = ()) -> Callable[[Any], Any]:
    """Run a test of one case of the matrix at every gateway that is not excepted from it."""
    assert case in IDS, f"the matrix has no case {case}"
    rows = [name for name in only or tuple(GATEWAYS) if name in GATEWAYS and (case, name) not in EXCEPT]
    RUN.update((case, name) for name in rows)
    named = [pytest.param(name, id=f"{case}-{name}") for name in rows]
    return pytest.mark.parametrize("world", named, indirect=True)


def renewals(case: str) -> Callable[[Any], Any]:
    """Run a test of one case of the renewals' table at every gateway."""
    assert case in RENEWALS, f"the renewals' table has no case {case}"
    RENEWED.update((case, name) for name in GATEWAYS)
    named = [pytest.param(name, id=f"{case}-{name}") for name in GATEWAYS]
    return pytest.mark.parametrize("world", named, indirect=True)
