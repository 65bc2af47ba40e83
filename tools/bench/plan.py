"""How much is measured: all of it, or little and soon."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Rows, rounds of alternation and seconds a round; the fixed-rate parts have their own."""

    large_rows: int
    rounds: int
    seconds: int
    hang_rounds: int
    hang_s: int
    webhook_s: int
    settles: int
    renewals: int
    events: int
    small_rows: int = 10_000


FULL = Plan(
    large_rows=1_000_000,
    rounds=5,
    seconds=3,
    hang_rounds=2,
    hang_s=8,
    webhook_s=8,
    settles=1000,
    renewals=2_000,
    events=10_000,
)
SHORT = Plan(
    large_rows=20_000,
    rounds=1,
    seconds=1,
    hang_rounds=1,
    hang_s=2,
    webhook_s=2,
    settles=50,
    renewals=50,
    events=200,
)
