"""Paystack's refusals, in its own words."""

from __future__ import annotations

from sandbox.web import Json, Response, json_response

WRONG_EMAIL = (
    "Email does not match Authorization code. Authorization may be inactive or belong to a different email. "
    "Please confirm."
)


class ApiError(Exception):
    """An answer with `status: false`."""

    def __init__(self, message: str, code: str, *, status: int = 400, next_step: str = "") -> None:
        super().__init__(message)
        self.code, self.status, self.next_step = code, status, next_step

    def response(self) -> Response:
        body: Json = {"status": False, "message": str(self), "meta": {"nextStep": self.next_step}}
        return json_response({**body, "type": "validation_error", "code": self.code}, self.status)


def invalid_key() -> ApiError:
    step = "Ensure that you provide the correct authorization key for the request"
    return ApiError("Invalid key", "invalid_Key", status=401, next_step=step)


def duplicate_reference() -> ApiError:
    step = "Try and create the Transaction or Charge with a new reference"
    return ApiError("Duplicate Transaction Reference", "duplicate_reference", next_step=step)


def unknown_transaction() -> ApiError:
    step = "Ensure that you're passing the reference of a transaction that exists on this integration"
    return ApiError("Transaction reference not found.", "transaction_not_found", next_step=step)


def invalid(message: str, code: str = "invalid_params") -> ApiError:
    return ApiError(message, code, next_step="Ensure that all parameters are sent as documented")
