"""What every refusal has in common: a stable code, an HTTP status, a sentence that says what to do."""

from collections.abc import Mapping, Sequence


class PayError(Exception):
    """A refusal that the caller can understand and act on; a bug is never a PayError.

    `errors` names the members at fault: `{"amount": ["Send a number above zero."]}`.
    `headers` go with the HTTP answer (`Retry-After`), `members` into its body beside the others.
    """

    code = "error"
    http_status = 400

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        errors: Mapping[str, Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.errors = dict(errors or {})
        self.headers = dict(headers or {})
        self.members = dict(members or {})


class InvalidRequest(PayError):
    """The request itself is malformed or a member of it is not acceptable."""

    code = "invalid_request"


class NotFound(PayError):
    """Nothing of that name is visible to this caller."""

    code = "not_found"
    http_status = 404


class Conflict(PayError):
    """Not possible in the present state; the message names the state and what is possible."""

    code = "conflict"
    http_status = 409


class TooMany(PayError):
    """Too many requests; `Retry-After` says when to come back."""

    code = "too_many_requests"
    http_status = 429


class GatewayTrouble(PayError):
    """A gateway could not be asked; the same request may be sent again."""

    code = "gateway_unavailable"
    http_status = 503
