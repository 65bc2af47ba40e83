"""Requests and answers, held against a description and samples of Flutterwave's API.

Both stand beside the repository: the description was written from the gateway's pages and is not
official, the samples are the gateway's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.gateways.contracts import example, specification
from tests.sandbox.flutterwave.conftest import Shop

Json = dict[str, Any]
DESCRIPTION = "flutterwave/flutterwave-v3.openapi.yaml"


def resolved(value: Any) -> Any:
    """The value without references."""
    if isinstance(value, list):
        return [resolved(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        target: Any = specification(DESCRIPTION)
        for part in value["$ref"].split("/")[1:]:
            target = target[part]
        return resolved(target)
    return {name: resolved(inner) for name, inner in value.items() if name != "example"}


def problems(schema: Json, value: object) -> list[str]:
    errors = Draft202012Validator(resolved(schema)).iter_errors(value)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in errors]


def check(method: str, path: str, body: Any, status: int = 200) -> None:
    operation = specification(DESCRIPTION)["paths"][path][method]
    answer = resolved(operation["responses"][str(status)])
    assert problems(answer["content"]["application/json"]["schema"], body) == []


def kind(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    return "number" if isinstance(value, int | float) else type(value).__name__


def missing(sample: Any, told: Any, path: str = "") -> Iterator[str]:
    """The members of a sample that an answer lacks or has as another kind of value; null fits any."""
    if isinstance(sample, dict) and isinstance(told, dict):
        for name in sample:
            if name not in told:
                yield f"{path}.{name} is missing"
            else:
                yield from missing(sample[name], told[name], f"{path}.{name}")
    elif sample is not None and told is not None and kind(sample) != kind(told):
        yield f"{path} is {kind(told)}, in the sample {kind(sample)}"


def test_payments(shop: Shop) -> None:
    order = shop.order(meta={"order": "7"}, payment_options="card")
    schema = {"$ref": "#/components/schemas/PaymentRequest"}

    opened, refused = shop.post("/payments", order), shop.post("/payments", {})
    no_key = shop.post("/payments", order, key="FLWSECK_TEST-wrong-X")

    assert problems(schema, order) == []
    check("post", "/payments", opened.json())
    check("post", "/payments", refused.json(), 400)
    check("post", "/payments", no_key.json(), 401)
    assert list(missing(example("flutterwave/payments_hosted_link_reply.json"), opened.json())) == []


@pytest.mark.parametrize("outcome", ["success", "decline", "pending", "other_amount"])
def test_verify(shop: Shop, outcome: str) -> None:
    shop.open()
    more: Json = {"amount_minor": 5} if outcome == "other_amount" else {}
    shop.pay(outcome=outcome, **more)

    by_reference = shop.ask().json()
    by_id = shop.get(f"/transactions/{by_reference['data']['id']}/verify").json()

    check("get", "/transactions/verify_by_reference", by_reference)
    check("get", "/transactions/{id}/verify", by_id)


def test_verify_has_all_that_the_sample_has(shop: Shop) -> None:
    shop.paid()

    assert list(missing(example("flutterwave/verify_success_card.json"), shop.ask().json())) == []


def test_nothing_found(shop: Shop) -> None:
    check("get", "/transactions/verify_by_reference", shop.ask().json(), 400)
    check("get", "/transactions/{id}/verify", shop.get("/transactions/1/verify").json(), 400)


def test_tokenized_charges(shop: Shop) -> None:
    charged = shop.charge(shop.token()).json()
    shop.set_next("declined", "paused")

    token = charged["data"]["card"]["token"]
    others = [shop.charge(token, reference).json() for reference in ("c-2", "c-3")]

    assert list(missing(example("flutterwave/tokenized_charge_success.json"), charged)) == []
    for body in (charged, *others):
        check("post", "/tokenized-charges", body)
    assert [body["data"]["status"] for body in others] == ["failed", "pending"]
    check("post", "/tokenized-charges", shop.charge("nothing").json(), 400)


def test_refunds(shop: Shop) -> None:
    reply = shop.refund(shop.paid()["id"], amount=100)
    created = reply.json()

    check("post", "/transactions/{id}/refund", created)
    check("post", "/transactions/{id}/refund", shop.refund(1).json(), 400)
    check("get", "/refunds/{id}", shop.get(f"/refunds/{created['data']['id']}").json())
    check("get", "/refunds/{id}", shop.get("/refunds/1").json(), 400)
    assert list(missing(example("flutterwave/refund_reply.json"), created)) == []


def test_a_missing_key(shop: Shop) -> None:
    reply = shop.http.get("/flutterwave/v3/transactions")

    assert reply.json() == example("flutterwave/error_missing_key.json")


@pytest.mark.parametrize(
    ("switches", "name"),
    [
        ({"WEBHOOK_SHAPE": "new"}, "webhook_charge_completed"),
        ({"WEBHOOK_SHAPE": "legacy"}, "webhook_legacy_flat"),
    ],
)
def test_webhooks(shop: Shop, name: str) -> None:
    shop.paid()

    told = json.loads(shop.events()[0]["body"])

    assert list(missing(example(f"flutterwave/{name}.json"), told)) == []


def test_the_checks_would_notice(shop: Shop) -> None:
    shop.paid()
    body = shop.ask().json()
    del body["data"]["charged_amount"]
    body["data"]["amount"] = "5"

    schema = {"$ref": "#/components/schemas/Transaction"}

    assert len(problems(schema, body["data"])) == 2
    assert len(list(missing(example("flutterwave/verify_success_card.json"), body))) == 2
