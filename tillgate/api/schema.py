"""What the OpenAPI page says of each operation, from the same shapes that the code reads and writes."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import msgspec
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter, extend_schema

from tillgate.api.authentication import Authentication
from tillgate.api.operations import OPERATIONS, Operation
from tillgate.api.shapes import (
    accounts,
    common,
    doctor,
    dukka,
    endpoints,
    gateways,
    history,
    keys,
    merchant,
    payments,
    people,
    returns,
    subscriptions,
)

View = TypeVar("View", bound=Callable[..., object])
REFERENCE = "#/components/schemas/{name}"
SHAPES = (
    common,
    payments,
    returns,
    subscriptions,
    gateways,
    keys,
    merchant,
    people,
    accounts,
    history,
    dukka,
    endpoints,
    doctor,
)
NO_CONTENT = 204
# A wrong key, also where none is needed; no scope, or somebody else's merchant; no database.
ANYWHERE = (401, 403, 503)
IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="1-255 printable ASCII. The same key with the same body returns the first result.",
)
REQUIRED_IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description=f"{IDEMPOTENCY.description} It counts for this payment alone.",
)


def documented(operation_id: str) -> Callable[[View], View]:
    """Describe a view method by its row in OPERATIONS."""
    row = OPERATIONS[operation_id]
    answers = {status: None if status == NO_CONTENT else _envelope(row) for status in row.success}
    error = {"$ref": REFERENCE.format(name="ErrorOut")}
    refusals = dict.fromkeys((*row.refusals, *ANYWHERE), error) | dict.fromkeys(row.empty)
    decorate: Callable[[View], View] = extend_schema(
        operation_id=operation_id,
        summary=row.summary,
        description=row.description or row.summary,
        request=_request(row),
        responses={**answers, **refusals},
        parameters=[*_idempotency(row), *_query(row.query)],
        tags=[row.tag],
        auth=_auth(row),
    )
    return decorate


def add_components(
    result: dict[str, Any], generator: object, request: object, public: bool
) -> dict[str, Any]:
    """Put the shapes into the document; a hook of the generator."""
    bodies = [shape for name, shape in _shapes().items() if not name.endswith("Filter")]
    _, components = msgspec.json.schema_components(bodies, ref_template=REFERENCE)
    result.setdefault("components", {}).setdefault("schemas", {}).update(_as_written(components))
    return result


def _as_written(schema: Any) -> Any:
    """The library takes a Decimal for a string; here it is written as a number."""
    if isinstance(schema, list):
        return [_as_written(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    number = {"type": "number"} if schema.get("format") == "decimal" else {}
    return {
        name: _as_written(part) for name, part in schema.items() if name != "format" or not number
    } | number


@cache
def _shapes() -> dict[str, type[msgspec.Struct]]:
    named = [(name, shape) for module in SHAPES for name, shape in vars(module).items()]
    return {
        name: shape for name, shape in named if isinstance(shape, type) and issubclass(shape, msgspec.Struct)
    }


def _auth(row: Operation) -> Any:
    if row.needs_login:
        return [{"accessToken": []}]
    return None if row.needs_key else [{}, {"secretKey": []}, {"accessToken": []}]


def _envelope(row: Operation) -> dict[str, Any]:
    one: dict[str, Any] = {"$ref": REFERENCE.format(name=row.shape)}
    if not row.resource:
        return one
    members = {row.resource: {"type": "array", "items": one} if row.many else one}
    if row.paged:
        url = {"type": ["string", "null"], "format": "uri"}
        members |= {"next": url, "previous": url}
    members |= {"status": {"type": "string", "enum": ["success"]}, "message": {"type": "string"}}
    return {"type": "object", "properties": members, "required": list(members)}


def _request(row: Operation) -> dict[str, Any] | None:
    if row.uploads:
        return {kind: {"type": "string", "format": "binary"} for kind in row.uploads}
    return {"application/json": {"$ref": REFERENCE.format(name=row.request)}} if row.request else None


def _idempotency(row: Operation) -> list[OpenApiParameter]:
    if row.needs_idempotency:
        return [REQUIRED_IDEMPOTENCY]
    return [IDEMPOTENCY] if row.idempotent else []


def _query(name: str | None) -> list[OpenApiParameter]:
    if name is None:
        return []
    _, components = msgspec.json.schema_components([_shapes()[name]], ref_template=REFERENCE)
    members = components[name]["properties"]
    return [
        OpenApiParameter(member, _plain(schema), OpenApiParameter.QUERY) for member, schema in members.items()
    ]


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """A query parameter that is absent instead of null."""
    options = [option for option in schema.get("anyOf", [schema]) if option.get("type") != "null"]
    plain = dict(options[0])
    if None in plain.get("enum", []):
        plain["enum"] = [value for value in plain["enum"] if value is not None]
    plain.pop("default", None)
    return plain


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema names it."""

    target_class = Authentication
    name = ["secretKey", "accessToken"]

    def get_security_requirement(self, auto_schema: object) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]  # One of them; the library would ask for both.

    def get_security_definition(self, auto_schema: object) -> list[dict[str, str]]:
        bearer = {"type": "http", "scheme": "bearer"}
        return [
            {**bearer, "description": "A secret key: `sk_test_…` or `sk_live_…`."},
            {
                **bearer,
                "bearerFormat": "JWT",
                "description": "The access token of a person who is signed in.",
            },
        ]
