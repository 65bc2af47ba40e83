"""What an examination finds, and how rooms add theirs."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from tillgate.common.crypto import CannotDecrypt, decrypt


class Verdict(StrEnum):
    """How a thing is. Only what is broken keeps the installation from doing its work."""

    OK = "ok"
    LOOK = "look at it"
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line: how a thing is, what was seen, and what to do where it is not well.

    It tells of the installation: no secret, and nothing by which a business or a customer is known.
    """

    verdict: Verdict
    seen: str
    fix: str = ""
    about: str = ""

    def __str__(self) -> str:
        line = f"{self.verdict:<10}  {self.about:<9}  {self.seen}"
        return f"{line} Fix: {self.fix}" if self.fix else line


Examine = Callable[[], Iterable[Finding]]


@dataclass(frozen=True, kw_only=True)
class Examination:
    """A function that looks at one thing, for `within_s` at most. `reads`: it asks the database."""

    about: str
    examine: Examine
    reads: bool
    within_s: float


EXAMINATIONS: dict[str, Examination] = {}


def examination(about: str, *, reads: bool = True, within_s: float = 5) -> Callable[[Examine], Examine]:
    """Let the doctor run a function, in a thread of its own; a room has them in its module `doctor`."""

    def register(examine: Examine) -> Examine:
        name = f"{examine.__module__}.{examine.__qualname__}"
        EXAMINATIONS[name] = Examination(about=about, examine=examine, reads=reads, within_s=within_s)
        return examine

    return register


def ok(seen: str) -> Finding:
    """It is well."""
    return Finding(verdict=Verdict.OK, seen=seen)


def look(seen: str, fix: str) -> Finding:
    """Somebody should look at it."""
    return Finding(verdict=Verdict.LOOK, seen=seen, fix=fix)


def broken(seen: str, fix: str) -> Finding:
    """The installation does not do its work."""
    return Finding(verdict=Verdict.BROKEN, seen=seen, fix=fix)


def secrets_open(what: str, texts: Iterable[str]) -> Iterator[Finding]:
    """Say whether the keys here open what is stored; nothing where nothing is."""
    opened = [_opens(text) for text in texts]
    if opened and all(opened):
        yield ok(f"TILLGATE_ENCRYPTION_KEYS opens {what}.")
    elif opened:
        count = opened.count(False)
        yield broken(
            f"{count} of {len(opened)} {what} cannot be opened: the key that encrypted them is not here.",
            "Add that key to TILLGATE_ENCRYPTION_KEYS, behind the others, separated by a comma; then "
            "./run rotate-encryption.",
        )


def _opens(text: str) -> bool:
    try:
        decrypt(text)
    except CannotDecrypt:
        return False
    return True


def waiting(sentences: Iterable[str], *, of: str) -> Iterator[Finding]:
    """Count what waits for a person. What it is, `verify-ledger` says: to the operator alone."""
    count = sum(1 for _ in sentences)
    if count:
        things = f"{count} thing{'s' * (count > 1)} of {of} wait{'s' * (count == 1)}"
        yield look(f"{things} for a person.", "./run verify-ledger lists them, each with what to do.")
    else:
        yield ok(f"Nothing of {of} waits for a person.")
