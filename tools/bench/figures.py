"""What was measured, and what it is held against."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A limit and the side of it on which a figure should be. A `hard` one fails the run."""

    limit: float
    at_most: bool = False
    hard: bool = False

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {number(self.limit)}"

    def is_met(self, value: float) -> bool:
        """Say whether a figure reaches the goal."""
        return value <= self.limit if self.at_most else value >= self.limit


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the report on one database; without a value, `why_not` says why it has none."""

    name: str
    value: float | None = None
    unit: str = ""
    goal: Goal | None = None
    why_not: str = ""
    skipped: bool = False

    def __str__(self) -> str:
        if self.value is None:
            return f"{'skipped' if self.skipped else 'NOT MEASURED'}: {self.why_not}"
        unit = f" {self.unit}" if self.unit else ""
        return f"{number(self.value)}{unit}{' (missed)' if self.is_missed else ''}"

    @property
    def is_missed(self) -> bool:
        return self.value is not None and self.goal is not None and not self.goal.is_met(self.value)

    @property
    def fails(self) -> bool:
        """Whether the run must not end well: nothing was measured, or a hard goal was missed."""
        return (self.value is None and not self.skipped) or (
            self.is_missed and self.goal is not None and self.goal.hard
        )


@dataclass(frozen=True, kw_only=True)
class Load:
    """What one path did under load; the times are milliseconds."""

    per_s: float
    p50_ms: float
    p99_ms: float
    longest_ms: float
    errors: int


@dataclass(frozen=True, kw_only=True)
class Series:
    """One path's loads, round by round."""

    name: str
    rounds: list[Load] = field(default_factory=list)

    @property
    def middle(self) -> Load:
        """The median of each number; the longest wait and the errors of all rounds."""
        return Load(
            per_s=median(load.per_s for load in self.rounds),
            p50_ms=median(load.p50_ms for load in self.rounds),
            p99_ms=median(load.p99_ms for load in self.rounds),
            longest_ms=max(load.longest_ms for load in self.rounds),
            errors=sum(load.errors for load in self.rounds),
        )

    def refuses(self, seconds: float) -> bool:
        """Say whether errors are what it mostly answers, in rounds of so many seconds: refusing is quick, and
        nothing may be compared with it."""
        return any(load.errors > load.per_s * seconds / 2 for load in self.rounds)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the rounds' ratios: what disturbs a whole round disturbs both sides of it."""
    return median(a / b for a, b in zip(ours, theirs, strict=True))


def rates(series: Series) -> list[float]:
    """Return the requests a second of each round."""
    return [load.per_s for load in series.rounds]


def number(value: float) -> str:
    """Print a figure with no more digits than it deserves."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"
