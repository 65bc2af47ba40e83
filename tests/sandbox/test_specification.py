"""Requests and answers, held against Paystack's own OpenAPI description."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft4Validator

from tests.sandbox.conftest import Client

SPECIFICATION = Path(__file__).parents[2] / "../shared/contracts/paystack/paystack-openapi.yaml"
pytestmark = pytest.mark.skipif(
    not SPECIFICATION.exists(), reason="Paystack's OpenAPI description is not at hand"
)
Json = dict[str, Any]

# Where the description contradicts Paystack's own samples or what has been observed, by the error's
# path. Each of these is null, missing or of another kind in real answers.
KNOWN_CONTRADICTIONS = {
    "data.metadata",  # Object, text, 0 or null in samples; the description knows one kind for each call.
    "data.ip_address",  # Null in the sample of charge_authorization.
    "data.0.metadata",
    "data.0.paidAt",  # Described as always there, though nobody has paid yet.
    "data.0.fees_split",
    "data.customer.first_name",  # Null in every sample.
    "data.customer.last_name",
    "data.customer.phone",
    "data.customer.metadata",
    "data.customer.international_format_phone",
    "data.authorization.signature",  # Null for a transfer.
    "code",  # Described as one of the types of error; the samples have codes such as duplicate_reference.
}


@pytest.fixture(scope="module")
def specification() -> Json:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return dict(yaml.load(SPECIFICATION.read_text(), Loader=loader))


def resolved(specification: Json, value: Any) -> Any:
    """The value without references; `nullable` written the way JSON Schema has it."""
    if isinstance(value, list):
        return [resolved(specification, inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        target: Any = specification
        for part in value["$ref"].split("/")[1:]:
            target = target[part]
        return resolved(specification, target)
    plain = {name: resolved(specification, inner) for name, inner in value.items() if name != "example"}
    if plain.get("nullable") is True and isinstance(plain.get("type"), str):
        plain["type"] = [plain["type"], "null"]
    return plain


def problems(specification: Json, schema: Json, value: object) -> list[str]:
    errors = Draft4Validator(resolved(specification, schema)).iter_errors(value)
    found = [(".".join(map(str, error.absolute_path)), error.message) for error in errors]
    return [f"{path}: {message}" for path, message in found if path not in KNOWN_CONTRADICTIONS]


def answer_schema(specification: Json, method: str, path: str, status: int = 200) -> Json:
    operation = specification["paths"][path][method]
    answer = resolved(specification, operation["responses"][str(status)])
    return dict(answer["content"]["application/json"]["schema"])


def check(specification: Json, method: str, path: str, body: Any, status: int = 200) -> None:
    assert problems(specification, answer_schema(specification, method, path, status), body) == []


@pytest.fixture
def paid(client: Client) -> Client:
    client.initialize(metadata={"custom_fields": []})
    client.pay()
    return client


def test_our_requests_are_as_described(specification: Json) -> None:
    body = {
        "email": "ada@example.com",
        "amount": 5,
        "currency": "NGN",
        "reference": "a",
        "channels": ["card"],
    }
    operation = specification["paths"]["/transaction/initialize"]["post"]

    assert (
        problems(specification, operation["requestBody"]["content"]["application/json"]["schema"], body) == []
    )


def test_initialize(specification: Json, client: Client) -> None:
    body = {"email": "ada@example.com", "amount": 5}
    reply = client.post("/transaction/initialize", body).json()
    refusal = client.post("/transaction/initialize", {**body, "reference": reply["data"]["reference"]}).json()

    check(specification, "post", "/transaction/initialize", reply)
    check(specification, "post", "/transaction/initialize", refusal, 400)


def test_verify_unpaid_and_paid(specification: Json, client: Client) -> None:
    client.initialize()
    unpaid = client.get("/transaction/verify/r-1").json()
    client.pay()

    check(specification, "get", "/transaction/verify/{reference}", unpaid)
    check(
        specification, "get", "/transaction/verify/{reference}", client.get("/transaction/verify/r-1").json()
    )


def test_fetch(specification: Json, paid: Client) -> None:
    body = paid.get(f"/transaction/{paid.verify()['id']}").json()

    check(specification, "get", "/transaction/{id}", body)


def test_list(specification: Json, paid: Client) -> None:
    paid.initialize("r-2")

    check(specification, "get", "/transaction", paid.get("/transaction").json())


def test_charge_authorization(specification: Json, client: Client) -> None:
    body = client.charge(client.saved_card()).json()

    check(specification, "post", "/transaction/charge_authorization", body)


def test_deactivate(specification: Json, client: Client) -> None:
    body = client.post(
        "/customer/authorization/deactivate", {"authorization_code": client.saved_card()}
    ).json()

    check(specification, "post", "/customer/authorization/deactivate", body)


def test_refunds(specification: Json, paid: Client) -> None:
    created = paid.post("/refund", {"transaction": "r-1", "amount": 100}).json()

    check(specification, "post", "/refund", created)
    check(specification, "get", "/refund", paid.get("/refund").json())
    check(specification, "get", "/refund/{id}", paid.get(f"/refund/{created['data']['id']}").json())


def test_disputes(specification: Json, paid: Client) -> None:
    paid.control("dispute", gateway="paystack", reference="r-1", action="open")

    check(specification, "get", "/dispute", paid.get("/dispute").json())


def test_the_check_would_notice_a_missing_member(specification: Json, paid: Client) -> None:
    body = paid.get("/transaction/verify/r-1").json()
    del body["data"]["requested_amount"]
    body["data"]["amount"] = "5"

    found = problems(
        specification, answer_schema(specification, "get", "/transaction/verify/{reference}"), body
    )

    assert len(found) == 2


def test_a_wrong_key(specification: Json, client: Client) -> None:
    body = client.get("/transaction/verify/x", key="sk_test_wrong").json()

    check(specification, "get", "/transaction/verify/{reference}", body, 401)
