"""The demo's HTTP client: what a customer's browser and a shop's server do, with the standard library."""

import http.cookiejar
import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import IO, Any

TIMEOUT_S = 20.0


class Refused(Exception):
    """A server answered something else than the demo needs; the message holds what it said."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A server's answer; `location` is where it redirects to, else empty."""

    status: int
    text: str
    location: str

    def json(self) -> Any:
        """Return the body read as JSON."""
        return json.loads(self.text)


class Client:
    """Keeps cookies, follows no redirect, and raises Refused for 4xx and 5xx."""

    def __init__(self) -> None:
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        # Only this machine is talked to, so no proxy of the environment is asked.
        self._opener = urllib.request.build_opener(cookies, urllib.request.ProxyHandler({}), _NoRedirect())

    def get(self, url: str) -> Answer:
        """GET an address."""
        return self._send(urllib.request.Request(url))

    def post(self, url: str, body: object) -> Answer:
        """POST a JSON body."""
        headers = {"Content-Type": "application/json"}
        return self._send(urllib.request.Request(url, json.dumps(body).encode(), headers))

    def submit(self, url: str, fields: dict[str, str]) -> Answer:
        """POST a form, as a browser does."""
        return self._send(urllib.request.Request(url, urllib.parse.urlencode(fields).encode()))

    def _send(self, request: urllib.request.Request) -> Answer:
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as response:
                return _answer(response.status, response, response.headers.get("Location", ""))
        except urllib.error.HTTPError as error:
            with error:
                answer = _answer(error.code, error, error.headers.get("Location", ""))
        except OSError as error:
            raise Refused(f"{request.get_method()} {request.full_url} got no answer: {error}") from error
        if answer.status >= 400:
            raise Refused(
                f"{request.get_method()} {request.full_url} answered {answer.status}: {answer.text[:500]}"
            )
        return answer


class Form(HTMLParser):
    """The first form of a page that has a given button: its address and its hidden fields."""

    def __init__(self, page: str, *, button: str, value: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.found = False
        self._button = (button, value)
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read forms, hidden inputs and buttons until the wanted button is found."""
        has = {name: value or "" for name, value in attrs}
        if self.found:
            return
        if tag == "form":
            self.action, self.fields = has.get("action", ""), {}
        elif (has.get("name", ""), has.get("value", "")) == self._button and tag in ("button", "input"):
            self.found = True
            self.fields[self._button[0]] = self._button[1]
        elif tag == "input" and has.get("type") == "hidden":
            self.fields[has.get("name", "")] = has.get("value", "")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


def _answer(status: int, body: IO[bytes], location: str) -> Answer:
    return Answer(status=status, text=body.read().decode(errors="replace"), location=location)
