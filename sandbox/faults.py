"""The fault plan: which call goes wrong next, and how."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TypeGuard

from sandbox.errors import Refused
from sandbox.web import Hits, Json

# Faults of the connection or of the answer's form; they can strike any operation of any gateway.
FORM_FAULTS = frozenset(
    {
        "reset_before",
        "timeout_before",
        "timeout_after",
        "500_before",
        "500_after",
        "429",
        "half_body",
        "slow_body",
        "html",
        "empty_body",
        "huge_body",
        "gzip_bomb",
        "bom",
        "wrong_content_type",
    }
)
EVENT_FAULTS = frozenset(
    {"event_dup", "event_drop", "event_early", "event_shuffle", "event_forge", "event_replay"}
)

# Arguments by name: the least and the greatest number, or None for text.
ARGUMENTS: Mapping[str, tuple[int, int] | None] = {
    "after_s": (0, 400 * 86_400),
    "amount_minor": (0, 10**15),
    "bytes": (1, 200_000_000),
    "copies": (1, 100),
    "currency": None,
    "event": None,
    "n": (0, 10**9),
    "raw": None,
    "retry_after": (0, 86_400),
    "seconds": (0, 86_400),
    "size": (1, 100),
    "word": None,
}
FRACTIONS = frozenset({"after_s", "seconds"})  # Whole numbers elsewhere.
LONGEST_TEXT = 200
DEFAULT_SHUFFLE_SIZE = 2


@dataclass(kw_only=True)
class Fault:
    """`nth` counts calls since the fault was set, 1 being the next; `times` 0 means for ever."""

    id: int
    match: str
    fault: str
    nth: int = 1
    times: int = 1
    args: Json = field(default_factory=dict)
    calls: int = 0
    hits: int = 0

    def strikes(self) -> bool:
        """Count one call; true when it is this fault's turn."""
        self.calls += 1
        if self.calls < self.nth or (self.times and self.hits >= self.times):
            return False
        self.hits += 1
        return True


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Which operations of one gateway each of its own faults can strike."""

    operations: frozenset[str]
    faults: Mapping[str, frozenset[str]]

    def of(self, fault: str) -> frozenset[str]:
        return self.operations if fault in FORM_FAULTS else self.faults.get(fault, frozenset())

    def knows(self, fault: str) -> bool:
        return fault in FORM_FAULTS or fault in EVENT_FAULTS or fault in self.faults


class FaultPlan:
    def __init__(self, reaches: Mapping[str, Reach]) -> None:
        self._reaches = reaches
        self._faults: list[Fault] = []
        self._ids = itertools.count(1)

    def add(self, drafts: object) -> list[Fault]:
        """Append faults to the plan: all of them, or none. Raises Refused."""
        if not isinstance(drafts, list) or not drafts:
            raise Refused(
                'send {"faults": [{"match": "paystack.verify", "nth": 1, "fault": "timeout_after"}]}'
            )
        fresh = [self._read(draft) for draft in drafts]
        self._faults += fresh
        return fresh

    def clear(self) -> None:
        self._faults = []

    def take(self, operation: str) -> Hits:
        """The faults that strike this call; every fault that could have counts it."""
        gateway = operation.partition(".")[0]
        reach = self._reaches[gateway]
        concerned = [
            fault
            for fault in self._faults
            if fault.match in (operation, f"{gateway}.*") and operation in reach.of(fault.fault)
        ]
        return {fault.fault: fault.args for fault in concerned if fault.strikes()}

    def take_event(self, gateway: str, event_type: str) -> Hits:
        """The event faults that strike this event, whatever operation they name."""
        concerned = [
            fault
            for fault in self._faults
            if fault.fault in EVENT_FAULTS
            and fault.match.startswith(f"{gateway}.")
            and fault.args.get("event", event_type) == event_type
        ]
        return {fault.fault: fault.args for fault in concerned if fault.strikes()}

    def rows(self) -> list[Json]:
        return [asdict(fault) for fault in self._faults]

    def names(self, gateway: str) -> list[str]:
        return sorted(FORM_FAULTS | EVENT_FAULTS | set(self._reaches[gateway].faults))

    def operations(self) -> list[str]:
        return sorted(name for reach in self._reaches.values() for name in reach.operations)

    def _read(self, draft: object) -> Fault:
        if not isinstance(draft, dict):
            raise Refused("each fault is an object with match, fault and maybe nth, times, args")
        if strange := sorted(set(draft) - {"match", "fault", "nth", "times", "args"}):
            raise Refused(f"unknown member {strange[0]!r}: a fault has match, fault, nth, times and args")
        match, name, args = draft.get("match"), draft.get("fault"), draft.get("args", {})
        gateway = self._check_match(match)
        self._check_reach(gateway, str(match), name)
        _check_args(args)
        return Fault(
            id=next(self._ids),
            match=str(match),
            fault=str(name),
            nth=_count(draft.get("nth", 1), name="nth", least=1),
            times=_count(draft.get("times", _default_times(name, args)), name="times", least=0),
            args=args,
        )

    def _check_match(self, match: object) -> str:
        gateway, _, operation = str(match).partition(".")
        known = self._reaches.get(gateway)
        if known and (operation in ("*", "event") or match in known.operations):
            return gateway
        raise Refused(
            f"match must be one of {', '.join(self.operations())}, or <gateway>.event, or <gateway>.*"
        )

    def _check_reach(self, gateway: str, match: str, name: object) -> None:
        reach = self._reaches[gateway]
        if not isinstance(name, str) or not reach.knows(name):
            raise Refused(f"fault must be one of {', '.join(self.names(gateway))}")
        if name in EVENT_FAULTS or match.endswith(".*") or match in reach.of(name):
            return
        raise Refused(f"{name} cannot strike {match}; match it with {', '.join(sorted(reach.of(name)))}")


def _default_times(name: object, args: object) -> object:
    if name == "event_shuffle" and isinstance(args, dict):
        return args.get("size", DEFAULT_SHUFFLE_SIZE)
    return 1


def _count(value: object, *, name: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise Refused(f"{name} must be a whole number from {least}")
    return value


def _check_args(args: object) -> None:
    if not isinstance(args, dict):
        raise Refused("args must be an object")
    if strange := sorted(set(args) - set(ARGUMENTS), key=str):
        raise Refused(f"unknown argument {strange[0]!r}: there are {', '.join(ARGUMENTS)}")
    for name, value in args.items():
        _check_arg(name, value)


def _check_arg(name: str, value: object) -> None:
    limits = ARGUMENTS[name]
    if limits is None:
        if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT:
            raise Refused(f"args.{name} must be a text of 1 to {LONGEST_TEXT} characters")
    elif not (_is_number(value, name) and limits[0] <= value <= limits[1]):
        raise Refused(f"args.{name} must be a number from {limits[0]} to {limits[1]}")


def _is_number(value: object, name: str) -> TypeGuard[int | float]:
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (name in FRACTIONS and isinstance(value, float))
