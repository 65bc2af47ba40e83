"""Several fake gateways side by side: each has a script of its own, and takes what it is told to take."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes import CapturingGateway, FakeGateway, Script
from tillgate.gateways import registry
from tillgate.gateways.http import Patience
from tillgate.gateways.protocol import GatewayAccount
from tillgate.money import Money

AFRICAN = frozenset({"GHS", "KES", "NGN", "USD", "XOF", "ZAR"})
PAYPALS = frozenset({"EUR", "GBP", "USD"})
TAKEN = {"paystack": AFRICAN, "flutterwave": AFRICAN | {"EUR", "UGX"}, "paypal": PAYPALS}
TITLES = {"paystack": "Paystack", "flutterwave": "Flutterwave", "paypal": "PayPal"}


@dataclass
class TimedScript(Script):
    """A script that also keeps how long each call was allowed to take."""

    patiences: list[Patience] = field(default_factory=list)


def account_of(gateway: str) -> GatewayAccount:
    return GatewayAccount(gateway=gateway, mode="test", base_url="http://127.0.0.1:9", credentials={})


def put_in_place(monkeypatch: Any, names: tuple[str, ...] = tuple(TAKEN)) -> dict[str, TimedScript]:
    """Let these fakes be all gateways that there are, in this order; return their scripts by name."""
    scripts = {name: TimedScript() for name in names}
    for name in reversed(list(registry.GATEWAYS)):  # What is undone last stands last again.
        monkeypatch.delitem(registry.GATEWAYS, name)
    for name in names:
        monkeypatch.setitem(registry.GATEWAYS, name, _adapter(name, scripts[name]))
    return scripts


def _adapter(name: str, script: TimedScript) -> type[FakeGateway]:
    def takes(amount: Money) -> bool:
        return amount.currency in TAKEN[name]

    def account_from(values: Mapping[str, str]) -> GatewayAccount:
        return account_of(name)

    def begin(self: FakeGateway, account: GatewayAccount, patience: Patience) -> None:
        base.__init__(self, account, patience)
        script.patiences.append(patience)

    base = CapturingGateway if name == "paypal" else FakeGateway
    members = {
        "__init__": begin,
        "name": name,
        "title": TITLES[name],
        "currencies": TAKEN[name],
        "page_origins": (f"https://{name}.example",),
        "settings": (),
        "takes": staticmethod(takes),
        "account_from": staticmethod(account_from),
        "script": script,
    }
    return type(f"Fake{TITLES[name]}", (base,), members)
