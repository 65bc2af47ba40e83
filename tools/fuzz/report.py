"""What a walk has seen."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

MOST_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class Lie:
    """An answer that is a bug, or that the schema does not tell of; `curl` repeats the request."""

    operation: str
    caller: str
    status: int
    why: str
    curl: str

    @property
    def kind(self) -> tuple[str, int, str]:
        """What makes two of them the same."""
        return self.operation, self.status, self.why.partition("\n")[0]

    def __str__(self) -> str:
        return f"{self.operation}, as {self.caller}: {self.status}\n  {self.why.strip()}\n  {self.curl}"


@dataclass
class Report:
    """Counts of one walk, and what was wrong."""

    seed: int
    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    answers: dict[str, Counter[int]] = field(default_factory=dict)
    lies: list[Lie] = field(default_factory=list)

    def add(self, operation: str, status: int) -> None:
        """Count one answer."""
        self.requests += 1
        self.statuses[status] += 1
        self.answers.setdefault(operation, Counter())[status] += 1

    @property
    def is_clean(self) -> bool:
        """Whether nothing was wrong."""
        return not self.lies

    @property
    def never_well(self) -> list[str]:
        """The operations of which no request went through: what lies behind them was not tried."""
        return sorted(name for name, seen in self.answers.items() if not any(s < 400 for s in seen))

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.requests:,} requests to {len(self.answers)} operations, seed {self.seed}"
        yield from (f"  {name}: {_counts(seen)}" for name, seen in sorted(self.answers.items()))
        yield f"in all: {_counts(self.statuses)}"
        if self.never_well:
            yield f"never with success: {', '.join(self.never_well)}"
        first = {lie.kind: lie for lie in reversed(self.lies)}
        yield f"{len(self.lies):,} answers were wrong, of {len(first)} kinds"
        yield from (f"\n{lie}" for lie in list(first.values())[:MOST_SHOWN])


def _counts(seen: Counter[int]) -> str:
    return "  ".join(f"{status} × {count:,}" for status, count in sorted(seen.items()))
