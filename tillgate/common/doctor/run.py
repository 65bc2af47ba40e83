"""Running the examinations: each in a thread of its own, so that none holds the doctor up, or ends it."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from queue import Empty, SimpleQueue

from django.db import Error, connection, connections, transaction
from django.utils.module_loading import autodiscover_modules

from tillgate.common.doctor.findings import EXAMINATIONS, Examination, Finding, Verdict, broken, look
from tillgate.common.logs import redact

ALTOGETHER_S = 40.0
CLOSING_S = 1.0
STEPS = 10_000  # Of SQLite's machine, between two looks at the clock.
LONGEST_REASON = 200


def examine_all() -> list[Finding]:
    """Run every examination that there is, one after the other; return what they found."""
    autodiscover_modules("doctor")
    return run(EXAMINATIONS.values())


def run(examinations: Iterable[Examination], *, altogether_s: float = ALTOGETHER_S) -> list[Finding]:
    """Run examinations; where the database does not answer, those that would ask it are left out."""
    ends_at = time.monotonic() + altogether_s
    # Whatever keeps it from answering, without a database nothing goes on.
    silent = [replace(finding, verdict=Verdict.BROKEN) for finding in _examine(PROBE, PROBE.within_s)]
    found = silent
    for examination in examinations:
        if not (examination.reads and silent):
            left_s = ends_at - time.monotonic()
            found = [*found, *_examine(examination, min(examination.within_s, left_s))]
    abouts = list(dict.fromkeys(finding.about for finding in found))
    return sorted(found, key=lambda finding: abouts.index(finding.about))  # What is about one thing together.


def worst(findings: Iterable[Finding]) -> Verdict:
    """Return how all of it is: as its worst part."""
    verdicts = {finding.verdict for finding in findings}
    return next((verdict for verdict in (Verdict.BROKEN, Verdict.LOOK) if verdict in verdicts), Verdict.OK)


def _probe() -> Iterator[Finding]:
    try:
        connection.ensure_connection()
    except Error as error:
        seen = f"It does not answer: {_reason(error)}. What else would ask it was left out."
        yield broken(seen, "Start it, or correct DATABASE_URL; then ask again.")
        return
    if not connection.introspection.table_names():
        seen = "It has no tables. What else would ask it was left out."
        fix = (
            "./run prepare makes them; or TILLGATE_DATA_DIR or DATABASE_URL name another one than you meant."
        )
        yield broken(seen, fix)


PROBE = Examination(about="database", examine=_probe, reads=False, within_s=5)


def _examine(examination: Examination, within_s: float) -> list[Finding]:
    if within_s <= 0:
        return [_about(examination, look("Not examined: the others took all the time.", "Ask again."))]
    answer: SimpleQueue[list[Finding]] = SimpleQueue()
    thread = threading.Thread(
        target=_work, args=(examination, within_s, answer), name=f"doctor: {examination.about}", daemon=True
    )
    thread.start()
    try:
        found = answer.get(timeout=within_s)
    except Empty:
        found = [_too_slow(examination)]
    else:
        thread.join(CLOSING_S)
    return [_about(examination, finding) for finding in found]


def _about(examination: Examination, finding: Finding) -> Finding:
    return replace(finding, about=examination.about)


def _work(examination: Examination, within_s: float, answer: SimpleQueue[list[Finding]]) -> None:
    limit_s = 0.9 * within_s
    ends_at = time.monotonic() + limit_s
    try:
        with _limited(limit_s) if examination.reads else nullcontext():
            answer.put(list(examination.examine()))
    except Exception as error:
        is_late = isinstance(error, Error) and time.monotonic() >= ends_at
        answer.put([_too_slow(examination) if is_late else _failed(error)])
    finally:
        connections.close_all()


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Let the database end by itself what nobody waits for any more."""
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            # For this transaction alone: the connection may be a pool's.
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(int(seconds * 1000))])
            yield
    else:
        ends_at = time.monotonic() + seconds
        connection.ensure_connection()
        connection.connection.set_progress_handler(lambda: time.monotonic() > ends_at, STEPS)
        yield


def _too_slow(examination: Examination) -> Finding:
    seen = f"Not examined within {examination.within_s:.0f} s."
    return look(seen, "Ask again when less is going on; ./run verify-ledger takes all the time it needs.")


def _failed(error: Exception) -> Finding:
    seen = f"It could not be examined: {_reason(error)}."
    return broken(seen, "If nothing else here explains it, report this line: it may be a fault of Tillgate.")


def _reason(error: Exception) -> str:
    text = " ".join(redact(str(error)).split())[:LONGEST_REASON].rstrip(".")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
