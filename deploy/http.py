"""JSON over HTTP, with a key, a limit on everything, and errors that say what was seen."""

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from deploy.failed import Failed, NoAnswer

TIMEOUT_S = 60.0
LONGEST_BODY = 4_000_000
SHOWN = 300
TRIES, PAUSE_S, LONGEST_PAUSE_S = 5, 1.0, 60.0
NAME = "tillgate-deploy"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a server answered; `asked` says to what."""

    asked: str
    status: int
    text: str
    wait_s: float = 0.0

    def json(self, *wanted: int) -> Any:
        """Return the body read as JSON. Raises Failed for a status that is not among `wanted`."""
        if self.status not in wanted:
            raise Failed(f"{self.asked} answered {self.status}: {self.text[:SHOWN]}")
        try:
            return json.loads(self.text)
        except ValueError:
            raise Failed(f"{self.asked} answered something that is no JSON: {self.text[:SHOWN]}") from None


@dataclass(frozen=True, kw_only=True)
class Client:
    """Talks to one server; `key` is sent as a bearer token, and no redirect takes it elsewhere."""

    base: str
    key: str = field(default="", repr=False)
    pause_s: float = PAUSE_S

    def __post_init__(self) -> None:
        if not is_safe(self.base):
            raise Failed(f"{self.base!r} must begin with https:// (plain http only on this machine).")

    def get(self, path: str) -> Answer:
        """GET a path; asked again, a few times, where nobody answers or the server is busy."""
        return self._send(self._request("GET", path), PATIENT)

    def post(self, path: str, body: object, *, key: str) -> Answer:
        """POST under an Idempotency-Key; for that reason it may be sent again like a GET."""
        request = self._request("POST", path, body)
        request.add_header("Idempotency-Key", key)
        return self._send(request, PATIENT)

    def post_once(self, path: str, body: object) -> Answer:
        """POST what must not be done twice. Raises NoAnswer where it is not known whether it arrived."""
        return self._send(self._request("POST", path, body), CAREFUL)

    def _request(self, method: str, path: str, body: object = None) -> urllib.request.Request:
        headers = {"Accept": "application/json", "User-Agent": NAME}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        data = None
        if body is not None:
            headers["Content-Type"], data = "application/json", json.dumps(body).encode()
        return urllib.request.Request(self.base.rstrip("/") + path, data, headers, method=method)

    def _send(self, request: urllib.request.Request, manner: "Manner") -> Answer:
        for tried in range(1, TRIES + 1):
            pause_s = self.pause_s * 2 ** (tried - 1)
            try:
                answer = _send(request)
            except NoAnswer:
                if tried == TRIES or not manner.unanswered:
                    raise
            else:
                if tried == TRIES or answer.status not in manner.again:
                    return answer
                pause_s = max(pause_s, answer.wait_s)
            time.sleep(min(pause_s, LONGEST_PAUSE_S))
        raise AssertionError("the last try returns or raises")


@dataclass(frozen=True, kw_only=True)
class Manner:
    """After which statuses a request is sent again, and whether it is where nobody answered."""

    again: frozenset[int]
    unanswered: bool


# The server, or what stands before it, was not able to: the same question may be put again.
PATIENT = Manner(again=frozenset({429, 502, 503, 504}), unanswered=True)
CAREFUL = Manner(again=frozenset({429}), unanswered=False)


def look(url: str, timeout_s: float) -> Answer:
    """GET an address once. Raises NoAnswer where nobody answered."""
    return _send(urllib.request.Request(url, headers={"User-Agent": NAME}), timeout_s)


def is_safe(url: str) -> bool:
    """Say whether a secret may travel there: by https, or within this machine."""
    parts = urllib.parse.urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    )


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


def _send(request: urllib.request.Request, timeout_s: float = TIMEOUT_S) -> Answer:
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    if urllib.parse.urlsplit(request.full_url).hostname in LOOPBACK:
        handlers.append(urllib.request.ProxyHandler({}))
    try:
        try:
            response = urllib.request.build_opener(*handlers).open(request, timeout=timeout_s)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            return _answer(request, response)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise NoAnswer(f"{request.get_method()} {request.full_url} got no answer: {reason!r}") from error


def _answer(request: urllib.request.Request, response: Any) -> Answer:
    wait = response.headers.get("Retry-After") or response.headers.get("Ratelimit-Reset") or "0"
    return Answer(
        asked=f"{request.get_method()} {request.full_url}",
        status=response.status,
        text=response.read(LONGEST_BODY).decode(errors="replace"),
        wait_s=float(wait) if wait.isascii() and wait.isdigit() else 0.0,
    )
