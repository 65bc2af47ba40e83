"""A client of the API that holds every JSON answer against the published schema."""

import json
import re
from functools import cache
from typing import Any

from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

MINIMAL = {"customer_name": "John Doe", "customer_email": "john@example.com", "amount": 50.00}
PAYMENTS = "/api/v1/payments"
NO_BODY = (204, 304)


class ApiClient(Client):
    """Speaks JSON, with a key or as a guest; a bug answers 500 here as it does in production."""

    def __init__(self, key: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else None
        super().__init__(raise_request_exception=False, headers=headers)

    def post(self, path: str, data: Any = None, content_type: str = "application/json", **extra: Any) -> Any:  # type: ignore[override]
        return super().post(path, data, content_type=content_type, **extra)

    def request(self, **request: Any) -> Any:
        response = super().request(**request)
        if not response.streaming and request["REQUEST_METHOD"] != "HEAD":
            hold_against_schema(request["REQUEST_METHOD"], request["PATH_INFO"], response)
        return response

    def create(self, **members: Any) -> Any:
        return self.post(PAYMENTS, {**MINIMAL, **members})


def hold_against_schema(method: str, path: str, response: Any) -> None:
    """Fail unless the schema knows this answer: its status, and every member of its body."""
    if not path.startswith(("/api/v1/", "/dukka/api/")) or "json" not in response.headers.get(
        "Content-Type", ""
    ):
        return
    body = json.loads(response.content)
    if response.status_code in (400, 500) or "problem+json" in response["Content-Type"]:
        assert body["code"]
        return
    operation = _operation(method, path.rstrip("/"))
    if operation is None:
        assert response.status_code in (404, 405), response.content
        shape: dict[str, Any] = {"$ref": "#/components/schemas/ErrorOut"}
    else:
        answer = operation["responses"].get(str(response.status_code))
        assert answer is not None, (
            f"the schema does not know {response.status_code} {response.content[:300]!r}"
        )
        shape = answer["content"]["application/json"]["schema"]
    Draft202012Validator({**shape, "components": schema()["components"]}).validate(body)


@cache
def schema() -> dict[str, Any]:
    return SchemaGenerator().get_schema(public=True)


def _operation(method: str, path: str) -> dict[str, Any] | None:
    for template, operations in schema()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return operations.get(method.lower())
    return None
