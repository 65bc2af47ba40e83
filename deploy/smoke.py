"""`python -m deploy smoke URL`: a payment in test mode at each gateway, by the key TILLGATE_SMOKE_KEY."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deploy.failed import Failed
from deploy.http import Client, is_safe
from deploy.ready import Say
from deploy.worker import see_worker

KEY = "TILLGATE_SMOKE_KEY"
TEST_KEY = "sk_test_"
ORDER = {
    "customer_name": "Smoke test",
    "customer_email": "smoke@example.com",
    "amount": 50,
    "description": "In test mode, after a deployment",
}
# What a test account most likely takes; PayPal's is then USD.
LIKELY = ("NGN", "USD", "GHS", "KES", "ZAR", "EUR")
WITHIN_S, POLL_EVERY_S = 90.0, 0.25

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Try:
    """A payment whose page at one gateway is open; `reference` is the attempt's."""

    payment: str
    gateway: str
    reference: str


class Smoke:
    """A shop that tries out an installation, at whose gateways `sandbox` (where there is one) pays."""

    def __init__(self, url: str, key: str, say: Say, *, sandbox: str = "") -> None:
        if not key.startswith(TEST_KEY):
            raise Failed(
                f"{KEY} must hold a test key ({TEST_KEY}…), so that no real money is touched. "
                "In the installation: create-key --mode test --scopes create,read,admin"
            )
        self.shop = Client(base=f"{url.rstrip('/')}/api/v1", key=key)
        self.sandbox = Client(base=f"{sandbox.rstrip('/')}/control") if sandbox else None
        self._say = say
        self._run = secrets.token_hex(8)

    def run(self) -> None:
        """Come as far as each gateway's page, and with a sandbox to the refund. Raises Failed."""
        gateways = self.gateways()
        see_worker(self.shop, self._say)
        tries = [self.open(gateway) for gateway in gateways]
        if not self.sandbox:
            for tried in tries:
                self.cancel(tried)
            return
        for tried in tries:
            self.pay(tried)
        # Gateways take their time over refunds; so all are asked for before the first is waited for.
        refunds = [(tried, self.refund(tried)) for tried in tries]
        for tried, refund in refunds:
            self.see_refunded(tried, refund)

    def run_briefly(self) -> None:
        """Pay at each gateway, by the sandbox, and leave it at that. Raises Failed."""
        for gateway in self.gateways():
            self.pay(self.open(gateway))

    def gateways(self) -> list[Json]:
        """Return the gateways that can be used in test mode; there must be one."""
        found: list[Json] = self.shop.get("/gateways").json(200)["gateways"]
        if not found:
            raise Failed(
                "No gateway can be used in test mode. Give the installation a test account: "
                "./run set-gateway-account paystack --mode test"
            )
        self._say(f"gateways  {', '.join(gateway['name'] for gateway in found)}, in test mode")
        return found

    def open(self, gateway: Json) -> Try:
        """Create one payment by two requests under one key, read it, and open the gateway's page."""
        name: str = gateway["name"]
        order = {**ORDER, "currency": fitting_currency(gateway["currencies"]), "gateway": name}
        key = f"smoke-{self._run}-{secrets.token_hex(4)}"
        payment = self.shop.post("/payments", order, key=key).json(201)["payment"]
        if payment["test"] is not True:
            raise Failed(f"{payment['id']} is a live payment, although the key is a test key.")
        again = self.shop.post("/payments", order, key=key).json(201)["payment"]
        if again["id"] != payment["id"]:
            raise Failed(f"One Idempotency-Key made two payments, {payment['id']} and {again['id']}.")
        self._is(payment["id"], "pending")
        self._say(
            f"payment   {payment['id']}, {payment['amount']} {payment['currency']}; sent twice, made once"
        )
        return self._open_page(payment["id"], name, key)

    def pay(self, tried: Try) -> None:
        """Let the sandbox's customer pay; only a living worker brings the payment to `completed`."""
        assert self.sandbox
        paid = {"gateway": tried.gateway, "reference": tried.reference, "outcome": "success"}
        self.sandbox.post("/pay", paid, key=tried.reference).json(200)
        self._until(lambda: self.status(tried.payment), "completed", tried.payment)
        self._say(f"worker    asked {tried.gateway}: {tried.payment} is completed")

    def refund(self, tried: Try) -> str:
        """Ask for all of it back; return the refund."""
        path = f"/payments/{tried.payment}/refunds"
        order = {"amount": ORDER["amount"], "reason": "smoke test"}
        answer = self.shop.post(path, order, key=f"{tried.reference}-back")
        return str(answer.json(201)["refund"]["id"])

    def see_refunded(self, tried: Try, refund: str) -> None:
        """Wait until the money has gone back."""

        def status() -> str:
            return str(self.shop.get(f"/refunds/{refund}").json(200)["refund"]["status"])

        self._until(status, "succeeded", refund)
        self._is(tried.payment, "refunded")
        self._say(f"refund    {refund} succeeded")

    def cancel(self, tried: Try) -> None:
        """Withdraw a payment that nobody will pay."""
        key = f"{tried.reference}-cancel"
        self.shop.post(f"/payments/{tried.payment}/cancel", {}, key=key).json(200)
        self._is(tried.payment, "canceled")
        self._say(f"canceled  {tried.payment}")

    def status(self, payment: str) -> str:
        """Return what a payment's status is now."""
        return str(self.shop.get(f"/payments/{payment}").json(200)["payment"]["status"])

    def _open_page(self, payment: str, gateway: str, key: str) -> Try:
        path = f"/payments/{payment}/attempts"
        attempt = self.shop.post(path, {"gateway": gateway}, key=f"{key}-page").json(200, 201)["attempt"]
        action = attempt["next_action"] or {"type": attempt["status"], "url": ""}
        if action["type"] != "redirect" or not is_safe(action["url"]):
            raise Failed(f"{gateway} opened no page for {payment}: {attempt}")
        self._say(f"page      {gateway} opened {action['url']}")
        return Try(payment=payment, gateway=gateway, reference=attempt["gateway_reference"])

    def _is(self, payment: str, wanted: str) -> None:
        if (status := self.status(payment)) != wanted:
            raise Failed(f"{payment} is {status} and not {wanted}.")

    def _until(self, ask: Callable[[], str], wanted: str, what: str) -> None:
        until = time.monotonic() + WITHIN_S
        while (status := ask()) != wanted:
            if time.monotonic() > until:
                raise Failed(f"{what} is {status} after {WITHIN_S:.0f} s, not {wanted}. Does a worker run?")
            time.sleep(POLL_EVERY_S)


def fitting_currency(taken: list[str]) -> str:
    """Return the currency to try a gateway with."""
    return next((currency for currency in LIKELY if currency in taken), taken[0])
