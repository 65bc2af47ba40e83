"""What the OpenAPI page says of each operation, from the same shapes that the code reads and writes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import msgspec
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter, extend_schema

from tillgate.api import shapes
from tillgate.api.authentication import KeyAuthentication
from tillgate.api.shapes import GatewayFilter, PaymentFilter

View = TypeVar("View", bound=Callable[..., object])
REFERENCE = "#/components/schemas/{name}"
QUERIES = (PaymentFilter, GatewayFilter)  # Written as parameters.
ANYWHERE = (401, 503)  # A wrong key, also where none is needed; a database that does not answer.
TAGS = {"gateways": "gateways", "refund": "refunds", "refunds": "refunds", "dispute": "disputes"}
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


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One row of the table below. `resource` names the member that carries `shape`."""

    summary: str
    description: str = ""
    request: str | None = None
    resource: str = "payment"
    shape: str = "PaymentOut"
    many: bool = False
    paged: bool = False
    success: tuple[int, ...] = (200,)
    empty: tuple[int, ...] = ()
    refusals: tuple[int, ...] = ()
    query: str | None = None
    idempotent: bool = False
    needs_idempotency: bool = False
    needs_key: bool = True


OPERATIONS = {
    "create_payment": Operation(
        summary="Create a payment",
        description="Needs no key and calls no gateway: the answer carries checkout_url.",
        request="PaymentIn",
        success=(201,),
        refusals=(400, 409, 413, 415, 422, 429),
        idempotent=True,
        needs_key=False,
    ),
    "list_payments": Operation(
        summary="List payments",
        description="Newest first. `Accept: text/csv` streams all of them as CSV.",
        resource="payments",
        many=True,
        paged=True,
        refusals=(400,),
        query="PaymentFilter",
    ),
    "get_payment": Operation(
        summary="Get a payment",
        description="Whoever holds the id may read it. Send If-None-Match when polling.",
        empty=(304,),
        refusals=(404, 429),
        needs_key=False,
    ),
    "create_attempt": Operation(
        summary="Open a gateway's session",
        description="An open session of the same gateway is returned again.",
        request="AttemptIn",
        resource="attempt",
        shape="AttemptOut",
        success=(201, 200),
        refusals=(400, 404, 409, 413, 415, 422, 429, 502, 504),
        idempotent=True,
        needs_key=False,
    ),
    "cancel_payment": Operation(summary="Cancel a payment", refusals=(400, 404, 409, 413, 415)),
    "resolve_payment": Operation(
        summary="Decide about a payment in review",
        description="`accept` takes what came as the payment, `refund` sends it back.",
        request="ResolveIn",
        refusals=(400, 404, 409, 413, 415),
    ),
    "get_timeline": Operation(
        summary="What happened to a payment",
        resource="events",
        shape="EventOut",
        many=True,
        refusals=(404,),
    ),
    "create_refund": Operation(
        summary="Refund a payment",
        description="All that is left, or a part of it. The money goes back later: GET the refund. "
        "Idempotency-Key is required.",
        request="RefundIn",
        resource="refund",
        shape="RefundOut",
        success=(201,),
        refusals=(400, 404, 409, 413, 415, 422),
        needs_idempotency=True,
    ),
    "list_refunds": Operation(
        summary="List a payment's refunds",
        description="Newest first, with those made in a gateway's dashboard.",
        resource="refunds",
        shape="RefundOut",
        many=True,
        refusals=(404,),
    ),
    "get_refund": Operation(summary="Get a refund", resource="refund", shape="RefundOut", refusals=(404,)),
    "refund_surplus": Operation(
        summary="Send a surplus back",
        description="All of it, by the transaction it came in by. A repeat returns the same refund.",
        resource="refund",
        shape="RefundOut",
        success=(201, 200),
        refusals=(400, 404, 409, 413, 415),
    ),
    "keep_evidence": Operation(
        summary="Keep a text about a dispute",
        description="For the merchant's own use: it is shown with the payment, and sent nowhere.",
        request="EvidenceIn",
        resource="dispute",
        shape="DisputeOut",
        refusals=(400, 404, 413, 415),
    ),
    "list_gateways": Operation(
        summary="List usable gateways",
        description="With an amount and its currency: those that can take it, in the order in which they "
        "are tried; with a key also what would be received, as an estimate.",
        resource="gateways",
        shape="GatewayOut",
        many=True,
        refusals=(400, 429),
        query="GatewayFilter",
        needs_key=False,
    ),
}


def documented(operation_id: str) -> Callable[[View], View]:
    """Describe a view method by its row in OPERATIONS."""
    row = OPERATIONS[operation_id]
    answers = {status: _envelope(row) for status in row.success}
    error = {"$ref": REFERENCE.format(name="ErrorOut")}
    refusals = dict.fromkeys((*row.refusals, *ANYWHERE), error) | dict.fromkeys(row.empty)
    decorate: Callable[[View], View] = extend_schema(
        operation_id=operation_id,
        summary=row.summary,
        description=row.description or row.summary,
        request={"application/json": {"$ref": REFERENCE.format(name=row.request)}} if row.request else None,
        responses={**answers, **refusals},
        parameters=[*_idempotency(row), *_query(row.query)],
        tags=[TAGS.get(row.resource, "payments")],
        auth=None if row.needs_key else [{}, {"secretKey": []}],  # type: ignore[list-item]
    )
    return decorate


def add_components(
    result: dict[str, Any], generator: object, request: object, public: bool
) -> dict[str, Any]:
    """Put the shapes into the document; a hook of the generator."""
    _, components = msgspec.json.schema_components(list(_shapes().values()), ref_template=REFERENCE)
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
    structs = [s for s in vars(shapes).values() if isinstance(s, type) and issubclass(s, msgspec.Struct)]
    return {struct.__name__: struct for struct in structs if struct not in QUERIES}


def _envelope(row: Operation) -> dict[str, Any]:
    one: dict[str, Any] = {"$ref": REFERENCE.format(name=row.shape)}
    members = {row.resource: {"type": "array", "items": one} if row.many else one}
    if row.paged:
        url = {"type": ["string", "null"], "format": "uri"}
        members |= {"next": url, "previous": url}
    members |= {"status": {"type": "string", "enum": ["success"]}, "message": {"type": "string"}}
    return {"type": "object", "properties": members, "required": list(members)}


def _idempotency(row: Operation) -> list[OpenApiParameter]:
    if row.needs_idempotency:
        return [REQUIRED_IDEMPOTENCY]
    return [IDEMPOTENCY] if row.idempotent else []


def _query(name: str | None) -> list[OpenApiParameter]:
    if name is None:
        return []
    _, components = msgspec.json.schema_components([getattr(shapes, name)], ref_template=REFERENCE)
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

    target_class = KeyAuthentication
    name = "secretKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A secret key: `sk_test_…` or `sk_live_…`.",
        }
