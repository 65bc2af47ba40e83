"""Flutterwave's envelope. `status: success` only ever means that the call was handled."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from sandbox.web import Json, Response


def accepted(message: str, data: object, meta: Json | None = None) -> Response:
    body: Json = {"status": "success", "message": message}
    return answer({**body, "data": data} if meta is None else {**body, "meta": meta, "data": data})


def answer(value: Json, status: int = 200) -> Response:
    return Response(status=status, body=as_json(value).encode())


def as_json(value: Any) -> str:
    """Write JSON in which a Decimal is a number, digit for digit and without idle zeros: `98.6`, `100`."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{as_json(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(as_json, value)) + "]"
    return f"{value.normalize():f}" if isinstance(value, Decimal) else json.dumps(value)
