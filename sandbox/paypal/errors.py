"""PayPal's refusals, in its own words. Decide on `details[0].issue`, as its documentation says."""

from __future__ import annotations

import secrets

from sandbox.web import Json, Response, json_response

NAMES = {
    400: ("INVALID_REQUEST", "Request is not well-formed, syntactically incorrect, or violates schema."),
    401: (
        "AUTHENTICATION_FAILURE",
        "Authentication failed due to missing authorization header, or invalid authentication credentials.",
    ),
    404: ("RESOURCE_NOT_FOUND", "The specified resource does not exist."),
    415: ("UNSUPPORTED_MEDIA_TYPE", "The server does not support the request payload's media type."),
    422: (
        "UNPROCESSABLE_ENTITY",
        "The requested action could not be performed, semantically incorrect, or failed business validation.",
    ),
}

# What a capture of an order, or an order of a saved payer, can be refused with.
DECLINES = {
    "INSTRUMENT_DECLINED": (
        "The instrument presented  was either declined by the processor or bank, "
        "or it can't be used for this payment."
    ),
    "PAYER_CANNOT_PAY": (
        "Payer cannot pay for this transaction. "
        "Please contact the payer to find other ways to pay for this transaction."
    ),
    "PAYER_ACCOUNT_RESTRICTED": "PAYER_ACCOUNT_RESTRICTED",
    "PAYER_ACTION_REQUIRED": (
        "Transaction cannot complete successfully, instruct the buyer to return to PayPal."
    ),
    "TRANSACTION_REFUSED": "The request was refused.",
    "TRANSACTION_LIMIT_EXCEEDED": "Total payment amount exceeded transaction limit.",
    "COMPLIANCE_VIOLATION": "Transaction is declined due to compliance violation.",
    "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED": "You have exceeded the maximum number of payment attempts.",
    "CARD_EXPIRED": "The card is expired",
    "AGREEMENT_ALREADY_CANCELLED": "The requested agreement is already canceled.",
}
DESCRIPTIONS = {
    **DECLINES,
    "AUTH_CAPTURE_NOT_ENABLED": (
        "Authorization and Capture feature is not enabled for the merchant. "
        "Make sure that the recipient of the funds is a verified business account."
    ),
    "CANNOT_BE_ZERO_OR_NEGATIVE": (
        "Must be greater than zero. If the currency supports decimals, "
        "only two decimal place precision is supported."
    ),
    "CAPTURE_FULLY_REFUNDED": "The capture has already been fully refunded",
    "CURRENCY_NOT_SUPPORTED": "Currency code is not currently supported.",
    "DECIMAL_PRECISION": "If the currency supports decimals, only two decimal place precision is supported.",
    "DUPLICATE_INVOICE_ID": (
        "Duplicate Invoice ID detected. To avoid a potential duplicate transaction "
        "your account setting requires that Invoice Id be unique for each transaction."
    ),
    "INVALID_ARRAY_MAX_ITEMS": "The number of items in an array parameter is too large.",
    "INVALID_ARRAY_MIN_ITEMS": "The number of items in an array parameter is too small.",
    "INVALID_PARAMETER_SYNTAX": "The value of a field does not conform to the expected format.",
    "INVALID_PARAMETER_VALUE": "A parameter value is not valid.",
    "INVALID_RESOURCE_ID": (
        "Specified resource ID does not exist. Please check the resource ID and try again."
    ),
    "INVALID_STRING_LENGTH": "The value of a field is either too short or too long",
    "MALFORMED_REQUEST_JSON": "The request JSON is not well formed.",
    "MAX_VALUE_EXCEEDED": "Should be less than or equal to 999999999999999.99.",
    "MISSING_REQUIRED_PARAMETER": "A required parameter is missing.",
    "NOT_ENABLED_FOR_CARD_PROCESSING": (
        "The API Caller account is not setup to be able to process card payments. "
        "Please contact PayPal customer support."
    ),
    "NOT_ENABLED_TO_VAULT_PAYMENT_SOURCE": (
        "The API caller or the merchant on whose behalf the API call is initiated "
        "is not allowed to vault the given source."
    ),
    "ORDER_ALREADY_CAPTURED": (
        "Order already captured.If 'intent=CAPTURE' only one capture per order is allowed."
    ),
    "ORDER_NOT_APPROVED": (
        "Payer has not yet approved the Order for payment. Please redirect the payer to the 'rel':'approve' "
        "url returned as part of the HATEOAS links within the Create Order call "
        "or provide a valid `payment_source` in the request."
    ),
    "PAYPAL_REQUEST_ID_REQUIRED": (
        "A PayPal-Request-Id is required if you are trying to process payment for an Order. "
        "Please specify a PayPal-Request-Id or Create the Order without a 'payment_source' specified."
    ),
    "PENDING_CAPTURE": (
        "Cannot initiate a refund as the capture is pending. Capture is typically pending "
        "when the payer has funded the transaction using e-check/bank funded."
    ),
    "REFUND_AMOUNT_EXCEEDED": (
        "The refund amount must be less than or equal to the capture amount that has not yet been refunded."
    ),
    "REFUND_CAPTURE_CURRENCY_MISMATCH": "Refund must be in the same currency as the capture",
    "REFUND_FAILED_INSUFFICIENT_FUNDS": (
        "Capture could not be refunded due to insufficient funds. Please check to see if you have sufficient "
        "funds in your PayPal account or if the bank account linked to your PayPal account is verified "
        "and has sufficient funds."
    ),
    "REFUND_NOT_ALLOWED": "Capture cannot be refunded.",
    "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK": (
        "Refunds are not allowed on this capture due to a chargeback on the card or bank. "
        "Please contact the payee to resolve the chargeback."
    ),
    "REFUND_TIME_LIMIT_EXCEEDED": "You are over the time limit to perform a refund on this capture",
    "SETUP_TOKEN_NOT_APPROVED": "The payer has not yet approved the setup token.",
    "TOKEN_ID_NOT_FOUND": "Specified token was not found. Verify the token and try the request again.",
    "TRANSACTION_DISPUTED": (
        "Partial refunds cannot be offered at this time because there is an open case on this transaction. "
        "Visit the PayPal Resolution Center to review this case."
    ),
}
REUSED_REFUND_INVOICE = "Invoice ID was previously used to refund a capture."


class ApiError(Exception):
    """An answer with one issue; `payer_url` is where the payer can put it right."""

    def __init__(
        self, issue: str, *, status: int = 422, field: str = "", description: str = "", payer_url: str = ""
    ) -> None:
        super().__init__(issue)
        self.issue, self.status, self.field = issue, status, field
        self.description = description or DESCRIPTIONS.get(issue, issue)
        self.payer_url = payer_url

    def response(self) -> Response:
        place = {"field": self.field, "location": "body"} if self.field else {}
        detail = {**place, "issue": self.issue, "description": self.description}
        body = {**_core(*NAMES[self.status]), "details": [detail]}
        if self.payer_url:
            body["links"] = [{"href": self.payer_url, "rel": "redirect", "method": "GET"}]
        return json_response(body, self.status)


class NoAccess(Exception):
    """An answer without details: the call does not come from our app, or not any more."""

    def __init__(self, name: str = NAMES[401][0], message: str = NAMES[401][1]) -> None:
        super().__init__(message)
        self.name = name

    def response(self) -> Response:
        return json_response(_core(self.name, str(self)), 401)


def trouble() -> dict[int, Response]:
    """What PayPal says when it is overloaded or broken, by status."""
    too_many = _core("RATE_LIMIT_REACHED", "Too many requests. Blocked due to rate limiting.")
    broken = _core("INTERNAL_SERVER_ERROR", "An internal server error occurred.")
    return {429: json_response(too_many, 429), 500: json_response(broken, 500)}


def missing(field: str) -> ApiError:
    return ApiError("MISSING_REQUIRED_PARAMETER", status=400, field=field)


def malformed(field: str) -> ApiError:
    return ApiError("INVALID_PARAMETER_SYNTAX", status=400, field=field)


def not_found() -> ApiError:
    return ApiError("INVALID_RESOURCE_ID", status=404)


def _core(name: str, message: str) -> Json:
    return {"name": name, "message": message, "debug_id": secrets.token_hex(7)[:13], "links": []}
