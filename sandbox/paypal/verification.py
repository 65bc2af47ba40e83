"""What a receiver asks about a webhook: the certificates, and whether a signature is right."""

from __future__ import annotations

from json import JSONDecoder
from typing import TYPE_CHECKING

from sandbox.paypal import reading
from sandbox.paypal.errors import ApiError, malformed, missing, not_found
from sandbox.paypal.settings import Settings
from sandbox.paypal.webhooks import Courier, signed_message
from sandbox.web import Call, Json, Response, json_response

if TYPE_CHECKING:
    from sandbox.paypal.certificates import Certificates

MEMBERS = ("auth_algo", "cert_url", "transmission_id", "transmission_sig", "transmission_time", "webhook_id")
BLANKS = " \t\r\n"


class Verification:
    def __init__(self, settings: Settings, courier: Courier, certificates: Certificates) -> None:
        self._settings, self._courier, self._certificates = settings, courier, certificates

    def certificate(self, call: Call) -> Response:
        """The leaf, then the authority that signed it, as PEM."""
        if call.params["id"] != self._certificates.id:
            raise not_found()
        return Response(body=self._certificates.chain, content_type="application/octet-stream")

    def verify(self, call: Call) -> Response:
        """POST /v1/notifications/verify-webhook-signature, over the original bytes of the event."""
        body = reading.read_body(call.request)
        for name in MEMBERS:
            if not isinstance(body.get(name), str):
                raise missing(f"/{name}")
        if not isinstance(body.get("webhook_event"), dict):
            raise malformed("/webhook_event")
        ok = self._is_ours(body) and self._is_signed(body, _raw_event(call.request.body))
        return json_response({"verification_status": "SUCCESS" if ok else "FAILURE"})

    def _is_ours(self, body: Json) -> bool:
        wanted = (self._settings.webhook_id, self._courier.cert_url(), "SHA256withRSA")
        return (body["webhook_id"], body["cert_url"], body["auth_algo"]) == wanted

    def _is_signed(self, body: Json, event: bytes) -> bool:
        headers = {
            "PAYPAL-TRANSMISSION-ID": body["transmission_id"],
            "PAYPAL-TRANSMISSION-TIME": body["transmission_time"],
        }
        message = signed_message(headers, body["webhook_id"], event)
        return self._certificates.verifies(body["transmission_sig"], message)


def _raw_event(body: bytes) -> bytes:
    try:
        return raw_member(body.decode(), "webhook_event").encode()
    except UnicodeDecodeError:
        raise ApiError("MALFORMED_REQUEST_JSON", status=400) from None


def raw_member(text: str, name: str) -> str:
    """The text of one member of a JSON object that is known to be well-formed and to have it."""
    decoder, at, found = JSONDecoder(), text.index("{") + 1, ""
    while True:
        key, at = decoder.raw_decode(text, _skip(text, at, BLANKS + ","))
        start = _skip(text, at, BLANKS + ":")
        _, at = decoder.raw_decode(text, start)
        if key == name:
            found = text[start:at]
        if text[_skip(text, at, BLANKS)] == "}":
            return found  # The last of several, as every JSON reader has it.


def _skip(text: str, at: int, what: str) -> int:
    while text[at] in what:
        at += 1
    return at
