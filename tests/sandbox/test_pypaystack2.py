"""A client library written by others works against the emulator as it does against Paystack."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import KEY, Client

pypaystack2 = pytest.importorskip("pypaystack2")


@pytest.fixture
def theirs(client: Client, monkeypatch: pytest.MonkeyPatch) -> Any:
    # The library takes no base URL from outside; this constant of its module is the only way.
    monkeypatch.setattr(
        "pypaystack2.base_clients.AbstractAPIClient._BASE_URL", f"{client.sandbox.url}/paystack"
    )
    return pypaystack2.PaystackClient(secret_key=KEY)


def test_a_payment_from_start_to_refund(client: Client, theirs: Any) -> None:
    opened = theirs.transactions.initialize(email="ada@example.com", amount=500_000, reference="r-1")
    client.pay()
    verified = theirs.transactions.verify("r-1")
    listed = theirs.transactions.get_transactions()
    refunded = theirs.refunds.create(transaction="r-1", amount=1_000)
    refunds = theirs.refunds.get_refunds(transaction=str(verified.data.id))

    assert opened.data.authorization_url.startswith(client.sandbox.url)
    assert (verified.data.status, verified.data.amount) == ("success", 500_000)
    assert verified.raw["data"]["authorization"]["reusable"] is True
    assert listed.status, listed.raw
    assert [row.reference for row in listed.data] == ["r-1"]
    assert (refunded.data.status, refunded.data.amount) == ("pending", 1_000)
    # The specification makes the customer's metadata text here, which the library's own model refuses.
    assert [row["id"] for row in refunds.raw["data"]] == [refunded.data.id]


def test_a_saved_card(client: Client, theirs: Any) -> None:
    code = client.saved_card()

    charged = theirs.transactions.charge(email="ada@example.com", amount=700, auth_code=code, reference="c-1")

    assert (charged.status, charged.data.status, charged.data.amount) == (True, "success", 700)


def test_a_refusal(theirs: Any) -> None:
    reply = theirs.transactions.verify("nobody")

    assert (reply.status_code, reply.status, reply.code) == (400, False, "transaction_not_found")


def test_webhooks_pass_their_check(client: Client, theirs: Any) -> None:
    client.saved_card()
    event = client.events()[0]

    signature = event["headers"]["x-paystack-signature"]

    assert theirs.is_verified_webhook_payload(event["body"].encode(), signature)
