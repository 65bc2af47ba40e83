"""Requests, answers and routes, as plain values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import parse_qsl, unquote, urlsplit

Json = dict[str, Any]
Hits = Mapping[str, Json]  # Faults that strike this call: name and arguments.

JSON_TYPE = "application/json; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"


class BadBody(Exception):
    """The request's body is neither a JSON object nor a form."""


@dataclass(frozen=True, kw_only=True)
class Request:
    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)  # Names in lower case.
    body: bytes = b""

    @property
    def is_form(self) -> bool:
        return self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")

    @property
    def wants_html(self) -> bool:
        return "text/html" in self.headers.get("accept", "")

    def read_object(self, *, parse_float: Callable[[str], Any] = float) -> Json:
        """The body as an object; a form's values are strings. Raises BadBody."""
        if self.is_form:
            return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))
        try:
            value = json.loads(self.body or b"{}", parse_constant=_refuse_constant, parse_float=parse_float)
        except (ValueError, RecursionError):
            raise BadBody("the body is not JSON") from None
        if not isinstance(value, dict):
            raise BadBody("the body is not a JSON object")
        return value


@dataclass(frozen=True, kw_only=True)
class Response:
    """An answer. With `chunks` these are sent instead of `body`, under the length `length`."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    chunks: Iterator[bytes] | None = None
    length: int | None = None


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request on its way through a route."""

    request: Request
    params: Mapping[str, str] = field(default_factory=dict)
    hits: Hits = field(default_factory=dict)


Answer = Callable[[Call], Response]


@dataclass(frozen=True)
class Route:
    """`operation` is the name by which faults find this route, such as `paystack.verify`.

    A route runs inside one change of the world; one that takes long looks after its own locking.
    `trouble` has the gateway's own answers for the statuses of faults; without one it is a plain answer.
    """

    method: str
    pattern: str
    answer: Answer
    operation: str | None = None
    in_change: bool = True
    trouble: Mapping[int, Response] = field(default_factory=dict)


class NoRoute(Exception):
    """Nothing answers at this path, or (`allow` given) not by this method."""

    def __init__(self, allow: Iterable[str] = ()) -> None:
        super().__init__("no route")
        self.allow = ", ".join(allow)


class Router:
    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = [(_compile(route.pattern), route) for route in routes]

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route for a request and the values in its path. Raises NoRoute."""
        plain = (
            path.rstrip("/") or "/"
        )  # Client libraries in use write /transaction/?page=1, and are answered.
        found = [(route, match) for pattern, route in self._routes if (match := pattern.fullmatch(plain))]
        for route, match in found:
            if route.method == method:
                return route, {name: unquote(value) for name, value in match.groupdict().items()}
        raise NoRoute(route.method for route, _ in found)


def json_response(value: object, status: int = 200) -> Response:
    return Response(status=status, body=json.dumps(value, separators=(",", ":")).encode())


def html_response(page: str, status: int = 200) -> Response:
    return Response(status=status, body=page.encode("utf-8", "replace"), content_type=HTML_TYPE)


def see_other(url: str) -> Response:
    return Response(status=303, content_type="text/plain", headers=(("Location", url),))


def is_web_url(url: str) -> bool:
    """Whether this is an absolute http(s) address that may stand in a header."""
    if any(character <= " " or character > "~" for character in url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
