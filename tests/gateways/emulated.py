"""One gateway's emulator, driven through the sandbox's control API; an `AdapterCase` says how it differs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest

from tillgate.common.references import new_reference
from tillgate.gateways import registry
from tillgate.gateways.http import Patience
from tillgate.gateways.protocol import (
    AttemptRef,
    Gateway,
    GatewayAccount,
    ListsRefunds,
    Mode,
    PaymentRequest,
    PaymentSnapshot,
)
from tillgate.money import Money

CALM = Patience(total_s=10, slot_s=10)
HASTY = Patience(total_s=0.4, slot_s=0)
Signed = tuple[Mapping[str, str], bytes]


@dataclass(frozen=True, kw_only=True)
class AdapterCase:
    """What the contract suite must know of one gateway.

    `fee` is what the emulator keeps of `amount`; `unsupported` is money that the gateway does not take.
    `start`, `look`, `refund` and `list` are the sandbox's operations. `forgeries` makes, from a genuine
    event, what this gateway's signature must refuse; `blank` are credentials that must verify nothing,
    and `sign_with` signs a body with them as an attacker would.
    """

    gateway: str
    credentials: Mapping[str, str]
    wrong_credentials: Mapping[str, str]
    blank: tuple[Mapping[str, str], ...]
    sign_with: Callable[[Mapping[str, str], bytes], Mapping[str, str]]
    forgeries: Callable[[Mapping[str, str], bytes], Iterator[Signed]]
    amount: Money
    fee: Money
    unsupported: Money
    mode: Mode = "test"
    start: str = "initialize"
    look: str = "verify"
    refund: str = "refund"
    list: str = "list"


class Emulated:
    """The emulator of one case, and adapters connected to it."""

    def __init__(self, case: AdapterCase, url: str) -> None:
        self.case, self._url = case, url
        self.account = GatewayAccount(
            gateway=case.gateway,
            mode=case.mode,
            base_url=f"{url}/{case.gateway}",
            credentials=case.credentials,
        )
        self.gateway = self.connect()
        self.hasty = self.connect(patience=HASTY)
        self.control_client = httpx2.Client(base_url=f"{url}/control", trust_env=False)

    @property
    def lists_refunds(self) -> bool:
        return isinstance(self.gateway, ListsRefunds)

    def need_list_of_refunds(self) -> None:
        if not self.lists_refunds:
            pytest.skip(f"{self.case.gateway} has refund keys and lists nothing")

    def connect(self, credentials: Mapping[str, str] | None = None, patience: Patience = CALM) -> Gateway:
        account = self.account if credentials is None else replace(self.account, credentials=credentials)
        return registry.connect(account, patience)

    def request(self, reference: str = "", amount: Money | None = None) -> PaymentRequest:
        return PaymentRequest(
            gateway_reference=reference or new_reference("ATT"),
            amount=amount or self.case.amount,
            customer_email="ada@example.com",
            description="Two tickets – née Adé",
            return_url="https://shop.example/return?cart=1",
            cancel_url="https://shop.example/cancel",
        )

    def started(self) -> AttemptRef:
        request = self.request()
        self.gateway.start_payment(request)
        return AttemptRef(gateway_reference=request.gateway_reference, gateway_id=None)

    def paid(self) -> tuple[AttemptRef, PaymentSnapshot]:
        attempt = self.started()
        self.pay(attempt)
        snapshot = self.gateway.fetch_payment(attempt)
        return replace(attempt, gateway_id=snapshot.gateway_id), snapshot

    def pay(self, attempt: AttemptRef, outcome: str = "success", **more: Any) -> None:
        self._control("pay", reference=attempt.gateway_reference, outcome=outcome, **more)

    def fault(self, operation: str, fault: str, **args: Any) -> None:
        self.faults(operation, [{"fault": fault, "args": args}])

    def faults(self, operation: str, faults: list[dict[str, Any]]) -> None:
        plan = [{"match": f"{self.case.gateway}.{operation}", **fault} for fault in faults]
        self._post("faults", {"faults": plan})

    def advance(self, seconds: int) -> None:
        self._post("clock", {"advance_s": seconds})

    def journal(self) -> list[dict[str, Any]]:
        return list(self.control_client.get("/journal").json()["entries"])

    def last_event(self) -> Signed:
        event = self.control_client.get("/events").json()["events"][-1]
        return {name.lower(): value for name, value in event["headers"].items()}, event["body"].encode()

    def _control(self, path: str, **body: Any) -> None:
        self._post(path, {"gateway": self.case.gateway, **body})

    def _post(self, path: str, body: dict[str, Any]) -> None:
        reply = self.control_client.post(f"/{path}", json=body)
        assert reply.status_code == 200, reply.text
