"""OAuth 2 client credentials: one token for all threads of a process, renewed a little before it ends.

Source: RFC 6749, section 4.4
"""

import re
import threading
import time
from base64 import b64encode
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from functools import lru_cache
from typing import Any

from tillgate.gateways import http
from tillgate.gateways.errors import GatewayError, GatewayUnknown, Rejected, Unreachable

TOKEN = re.compile(r"[!-~]{1,4096}")  # What a header can carry.
MOST_S = 86_400


class Tokens:
    """The access token of one client at one address. Any number of threads may ask for it."""

    def __init__(self, url: str, client_id: str, client_secret: str) -> None:
        self._url = url
        basic = b64encode(f"{client_id}:{client_secret}".encode()).decode()
        form = "application/x-www-form-urlencoded"
        self._headers = {"Authorization": f"Basic {basic}", "Content-Type": form}
        self._lock = threading.Lock()
        self._token, self._ends_at = "", 0.0
        self._asking: Future[str] | None = None  # Whoever comes while one asks waits for that answer.

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        patience: http.Patience,
        payload: http.Payload = None,
    ) -> http.Answer:
        """`http.call` with the token in a header; once more with a new one when the answer is 401.

        For then nothing was done. All of it together takes no longer than `patience`.
        """
        ends_at = time.monotonic() + patience.total_s

        def send() -> tuple[str, http.Answer]:
            token = self.get(_left(patience, ends_at))
            told = {**headers, "Authorization": f"Bearer {token}"}
            left = _left(patience, ends_at)
            return token, http.call(method, url, headers=told, patience=left, payload=payload)

        token, answer = send()
        if answer.status == 401:
            self.forget(token)
            _, answer = send()
        return answer

    def get(self, patience: http.Patience) -> str:
        """Return a token that is good for now.

        Raises Rejected for a wrong id or secret, else Unreachable: what the token is for was not sent.
        """
        with self._lock:
            if self._token and time.monotonic() < self._ends_at:
                return self._token
            asking, is_ours = self._asking or Future(), self._asking is None
            self._asking = asking
        if is_ours:
            self._ask(asking, patience)
        try:
            return asking.result(timeout=patience.total_s)
        except TimeoutError:
            raise Unreachable("no access token came in time") from None

    def forget(self, token: str) -> None:
        """Ask anew at the next call, unless somebody has done so since `token` was given out."""
        with self._lock:
            if self._token == token:
                self._token = ""

    def _ask(self, asking: Future[str], patience: http.Patience) -> None:
        asked_at = time.monotonic()
        try:
            token, lasts_s = self._call(patience)
        except BaseException as error:
            self._keep("", 0.0)
            is_told = isinstance(error, GatewayError)
            asking.set_exception(error if is_told else Unreachable("asking for a token was broken off"))
            raise
        self._keep(token, asked_at + lasts_s * 9 / 10)
        asking.set_result(token)

    def _keep(self, token: str, ends_at: float) -> None:
        with self._lock:
            self._token, self._ends_at, self._asking = token, ends_at, None

    def _call(self, patience: http.Patience) -> tuple[str, int]:
        body = b"grant_type=client_credentials"
        try:
            answer = http.call("POST", self._url, headers=self._headers, patience=patience, payload=body)
        except GatewayUnknown as error:
            # A token that was made and got lost costs nothing, and nothing else was sent yet.
            raise Unreachable(f"no access token: {error}") from error
        if 400 <= answer.status < 500:
            raise Rejected(f"the client id or secret is refused ({answer.status})")
        return _read_token(answer.body)


def _left(patience: http.Patience, ends_at: float) -> http.Patience:
    left_s = ends_at - time.monotonic()
    if left_s <= 0:
        raise Unreachable("the time was used up before the call was sent")
    return replace(patience, total_s=left_s)


def _read_token(body: dict[str, Any]) -> tuple[str, int]:
    token, lasts_s = body.get("access_token"), body.get("expires_in")
    if not isinstance(token, str) or not TOKEN.fullmatch(token) or type(lasts_s) is not int or lasts_s <= 0:
        raise Unreachable("the answer holds no access token")
    return token, min(lasts_s, MOST_S)


_first = threading.Lock()  # `lru_cache` alone lets threads that come first together make one each.


def tokens_of(url: str, client_id: str, client_secret: str) -> Tokens:
    """Return what this process keeps for a client; a second call with the same words shares it."""
    with _first:
        return _tokens(url, client_id, client_secret)


@lru_cache(maxsize=256)
def _tokens(url: str, client_id: str, client_secret: str) -> Tokens:
    return Tokens(url, client_id, client_secret)
