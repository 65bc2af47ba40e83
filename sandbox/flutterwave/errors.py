"""Flutterwave's refusals; where its words are not known, plain ones of our own."""

from __future__ import annotations

from sandbox.flutterwave.answers import answer
from sandbox.web import Json, Response


class ApiError(Exception):
    """An answer with `status: error`."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status

    def response(self) -> Response:
        body: Json = {"status": "error", "message": str(self), "data": None}
        return answer(body, self.status)


def missing_key() -> ApiError:
    return ApiError("merchant secret key required", status=401)


def wrong_key() -> ApiError:
    return ApiError("Authorization required", status=401)


def unknown_transaction() -> ApiError:
    return ApiError("No transaction was found for this id")


def duplicate_reference() -> ApiError:
    return ApiError("Duplicate transaction reference")


def too_many() -> ApiError:
    return ApiError("Too many requests", status=429)


def out_of_order(*, status: int) -> ApiError:
    """What Flutterwave says after 28 s of its own trouble: the outcome is unknown, not a refusal."""
    return ApiError("An error occurred. Please contact support", status=status)
