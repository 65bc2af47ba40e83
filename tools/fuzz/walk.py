"""A walk through the API: requests made up from its schema, each with what earlier answers have named.

The seed draws the same requests again; the ids in them are new each time, since the product makes them.
"""

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tools.fuzz.cast import Caller
from tools.fuzz.report import Lie, Report
from tools.fuzz.world import World

CHECKS = [
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
BATCH = 25  # Requests to one operation that are made up at once, and sent one by one.
REMEMBERED = 40  # Ids of a kind.
EVENTS = 0.1  # So many of the steps see something happen besides.
MODES = [schemathesis.GenerationMode.POSITIVE] * 3 + [schemathesis.GenerationMode.NEGATIVE]
GATEWAY_TROUBLE = (502, 503, 504)
# Members that random text hardly ever gets right, and what a caller would send.
SENSIBLE: dict[str, list[Any]] = {
    "customer_email": ["ada@example.com", "bola@example.com"],
    "customer_name": ["Ada Obi", "Bọ́lá"],
    "amount": ["50.00", 1500, "0.01"],
    "currency": ["NGN", "USD"],
    "return_url": [None],
    "expires_in": [300, 86_400],
    "interval": ["monthly", "daily"],
    "interval_count": [1, 2],
    "recurring": [{"interval": "monthly"}],
    "decision": ["accept", "refund"],
    "gateway": ["paystack", "paypal", None],
    "metadata": [{}, {"order": "1"}],
    "starts_at": [None],
}
Named = tuple[str, str]  # An id, and the id of what it was found in.
KEYS = ["k-1", "k-2", "k-3", "k-4"]


class Walker:
    """Walks one product. `schema` is its OpenAPI document, `app` what answers."""

    def __init__(
        self, schema: dict[str, Any], app: object, callers: list[Caller], world: World | None, *, number: int
    ) -> None:
        loaded: Any = schemathesis.openapi.from_dict(schema)
        loaded.app = app
        loaded.config.output.sanitization.update(enabled=False)  # Who repeats a request needs all of it.
        self.operations = [found.ok() for found in loaded.get_all_operations()]
        self.report = Report(seed=number)
        self._random = random.Random(number)
        self._callers, self._world = callers, world
        self._ids: dict[str, list[Named]] = defaultdict(list)
        self._made_up: dict[str, list[Any]] = defaultdict(list)

    def walk(self, requests: int, say: Callable[[str], None] = lambda line: None) -> Report:
        """Send so many requests, one after the other."""
        often = self._often()
        for number in range(1, requests + 1):
            if self._world and self._random.random() < EVENTS:
                self._random.choice(self._world.events)(self._random.choice)
            case = self._case(self._random.choice(often))
            self._fill(case, self._random.random())
            self._send(case, self._random.choice(self._callers))
            if number % 2_000 == 0:
                say(f"{number:,} requests, {len(self.report.lies)} wrong answers")
        return self.report

    def _often(self) -> list[Any]:
        """Each operation, and those that make something three times: the others need what they make."""
        makers = [op for op in self.operations if "201" in op.definition.raw["responses"]]
        return [*self.operations, *makers, *makers]

    def _case(self, operation: Any) -> Any:
        waiting = self._made_up[operation.label]
        while not waiting:
            mode = self._random.choice(MODES)
            # Where nothing can be negated, nothing is found.
            with suppress(Unsatisfiable):
                waiting += self._make_up(operation.as_strategy(generation_mode=mode))
            self._random.shuffle(waiting)
        return waiting.pop()

    def _make_up(self, strategy: Any) -> list[Any]:
        cases: list[Any] = []

        @seed(self._random.getrandbits(64))
        @settings(
            max_examples=BATCH,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=strategy)
        def gather(case: Any) -> None:
            cases.append(case)

        gather()
        return cases

    def _fill(self, case: Any, luck: float) -> None:
        """Put what is there in the place of made-up ids, and often what a caller would send."""
        self._fill_path(case, with_known=luck < 0.9)
        if luck < 0.3 and case.query:
            case.query.clear()
        if luck < 0.6:
            self._fill_body(case)
            if case.headers and "Idempotency-Key" in case.headers:
                case.headers["Idempotency-Key"] = self._random.choice(KEYS)

    def _fill_path(self, case: Any, *, with_known: bool) -> None:
        outer = ""
        for segment, name in reversed(re.findall(r"([^/{}]+)/\{(\w+)\}", case.operation.path)):
            known = self._known(segment)
            if outer:
                case.path_parameters[name] = outer  # What it was found in.
            elif known and with_known:
                case.path_parameters[name], outer = self._random.choice(known)

    def _fill_body(self, case: Any) -> None:
        if not isinstance(case.body, dict):
            return
        required = _required(case)
        for member in [*case.body, *required]:
            case.body[member] = self._random.choice(self._sensible(member) or [case.body.get(member)])
        for member in [member for member, value in case.body.items() if value is None]:
            if member not in required:
                del case.body[member]

    def _sensible(self, member: str) -> list[Any]:
        return SENSIBLE.get(member) or [reference for reference, _ in self._known(member)]

    def _send(self, case: Any, caller: Caller) -> None:
        response = case.call(headers=caller.headers)
        status, label = response.status_code, case.operation.label
        self.report.add(label, status)
        if why := _what_is_wrong(case, response):
            curl = case.as_curl_command(headers=caller.headers)
            lie = Lie(operation=label, caller=caller.name, status=status, why=why[:1_500], curl=curl[:1_500])
            self.report.lies.append(lie)
        if status == 401:
            caller.renew()
        if status < 300 and "json" in response.headers.get("content-type", [""])[0]:
            self._remember(response.json())

    def _remember(self, body: Any) -> None:
        for name, named in _ids_in(body, "", ""):
            ids = self._ids[name]
            if named not in ids:
                ids.append(named)
                del ids[:-REMEMBERED]

    def _known(self, segment: str) -> list[Named]:
        """The ids of what a part of a path names: `payments` are those of `payment` and of `payments`."""
        word = segment.replace("-", "_")
        return [named for name, ids in self._ids.items() if _same(word, name) for named in ids]


def _what_is_wrong(case: Any, response: Any) -> str:
    """Return why an answer is a bug, or what the schema does not tell of it."""
    if response.status_code >= 500 and response.status_code not in GATEWAY_TROUBLE:
        return "our own fault"
    try:
        case.validate_response(response, checks=CHECKS)
    except FailureGroup as group:
        return "; ".join(f"{type(error).__name__}: {error}" for error in group.exceptions)
    return ""


def _required(case: Any) -> list[str]:
    for body in case.operation.body:
        schema = body.definition.get("schema", {})
        return list(schema.get("required", []))
    return []


def _ids_in(value: Any, name: str, within: str) -> Iterator[tuple[str, Named]]:
    if isinstance(value, dict):
        found = str(value["id"]) if isinstance(value.get("id"), str | int) and name else ""
        if found:
            yield name, (found, within)
        for member, inner in value.items():
            yield from _ids_in(inner, member, found)
    elif isinstance(value, list):
        for inner in value:
            yield from _ids_in(inner, name, within)


def _same(one: str, other: str) -> bool:
    """Whether two words are one, or its plural."""
    shorter, longer = sorted((one, other), key=len)
    return longer.startswith(shorter[:-1]) and len(longer) - len(shorter) <= 2
