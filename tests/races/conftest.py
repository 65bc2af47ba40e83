"""Threads that start together, and the customer who pays at the sandbox before they do."""

import random
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.db import connections

from tests.builders import make_payment
from tests.loopback import NO_TLS
from tillgate.payments.models import Attempt, Payment
from tillgate.payments.services.sessions import open_session

Action = Callable[[], object]
SPREAD_S = 0.01  # Each round's threads start within that time of each other, in another order each time.


def race(*actions: Action, seed: int = 0) -> list[Any]:
    """Run the actions in threads of their own, all at once; return their results, or their exceptions."""
    chance = random.Random(seed)
    together = threading.Barrier(len(actions))
    results: list[Any] = [None] * len(actions)

    def run(place: int, action: Action, wait_s: float) -> None:
        try:
            together.wait()
            time.sleep(wait_s)
            results[place] = action()
        except BaseException as error:
            results[place] = error
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=run, args=(place, action, chance.choice((0, chance.random() * SPREAD_S))))
        for place, action in enumerate(actions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class Customer:
    """Opens sessions with the product, and pays in them at the sandbox."""

    def __init__(self, url: str, merchant: Any) -> None:
        self._http = httpx.Client(base_url=url, timeout=10, verify=NO_TLS)
        self._merchant = merchant

    def order(self, **fields: Any) -> tuple[Payment, Attempt]:
        """A payment whose page at the gateway is open."""
        payment = make_payment(self._merchant, **fields)
        attempt, _ = open_session(payment, None)
        return payment, attempt

    def pay(self, attempt: Attempt, outcome: str = "success", **more: Any) -> str:
        """Pay in the session of an attempt; return the gateway's id of the transaction."""
        body = {"gateway": "paystack", "reference": attempt.gateway_reference, "outcome": outcome, **more}
        answer = self._http.post("/control/pay", json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["transaction"]["id"])

    def advance(self, seconds: int) -> None:
        """Move the sandbox's clock: what it has under way comes to its end."""
        answer = self._http.post("/control/clock", json={"advance_s": seconds})
        assert answer.status_code == 200, answer.text

    def close(self) -> None:
        self._http.close()


@pytest.fixture
def customer(transactional_db: None, merchant: Any, sandbox: Any) -> Any:
    at_the_sandbox = Customer(sandbox.url, merchant)
    yield at_the_sandbox
    at_the_sandbox.close()
