"""Whether the settings are in order, and whether somebody does the work that waits."""

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import ERROR, run_checks

from tillgate.common.doctor.findings import Finding, broken, examination, look, ok
from tillgate.common.jobs.standing import Standing, standing

QUIET_S, SILENT_S = 60, 300  # Without a sign of life; a worker gives one every five seconds.
LATE_S, STUCK_S = 60, 600
START = "Start one: ./run worker, or ./run for everything."


@examination("settings", reads=False)
def system_checks() -> Iterator[Finding]:
    """What production refuses, and what it warns of."""
    messages = run_checks(tags=["security"])
    for message in messages:
        tell = broken if message.level >= ERROR else look
        yield tell(message.msg, message.hint or f"Look {message.id} up in docs/security.md.")
    if not messages:
        yield ok(f"No system check has anything to say (TILLGATE_ENV={settings.TILLGATE_ENV}).")


@examination("worker")
def worker() -> Iterator[Finding]:
    """Whether one is at work, and what waits for it."""
    now = standing()
    yield _sign_of_life(now.last_sign_s)
    yield _queue(now)
    if now.dead:
        seen = f"{now.dead} job{'s were' if now.dead > 1 else ' was'} given up after many tries."
        yield look(seen, "./run verify-ledger names them; once the cause is mended, ./run revive-jobs.")


def _sign_of_life(seconds: int | None) -> Finding:
    if seconds is None:
        return broken("None was ever seen at work here.", START)
    if seconds <= QUIET_S:
        return ok(f"One was at work {seconds} s ago.")
    tell = broken if seconds > SILENT_S else look
    return tell(
        f"None was seen at work for {_told(seconds)}.",
        f"{START} If one runs, its log says what it cannot do.",
    )


def _queue(now: Standing) -> Finding:
    jobs = f"{now.due} jobs are due, {now.running} running, {now.later} for later"
    if now.oldest_due_s <= LATE_S:
        return ok(f"{jobs}.")
    tell = broken if now.oldest_due_s > STUCK_S else look
    return tell(f"{jobs}; the oldest is due for {_told(now.oldest_due_s)}.", f"Where no worker runs: {START}")


def _told(seconds: int) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
