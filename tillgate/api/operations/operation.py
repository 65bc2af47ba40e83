"""What the OpenAPI page tells of one operation."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One row of the table below. `resource` names the member that carries `shape`; empty: `shape` is all.

    `needs_login`: an access token and no key. `needs_key`: either, as far as the caller may. `uploads` are
    the kinds of file that the body may be instead of JSON.
    """

    tag: str
    summary: str
    description: str = ""
    request: str | None = None
    uploads: tuple[str, ...] = ()
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
    needs_login: bool = False


ACTED_ON = (400, 404, 409, 413, 415)
