"""The figures as a table for people."""

import math
import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version

from tools.bench.figures import Figure, Series, number
from tools.bench.load import generator
from tools.bench.measure import Results
from tools.bench.renewals import WORKERS
from tools.paths import ROOT
from tools.sizes import lines_below

HEAD = """\
# Benchmarks

Written by `{command}` on {date}. Absolute figures belong to that machine and its other work; the ratios
were taken in one run, in which what is compared took turns, and are the medians of the rounds' ratios.

{machine}

The product runs as production does: granian, 2 processes of 16 threads, throttles on (calls over loopback
are not counted against a limit), commits on disk (PostgreSQL `synchronous_commit`, SQLite WAL
with `synchronous=FULL`) on both sides of each comparison. 16 connections, all over loopback; "at 300/s" is a
fixed rate, timed from when each request was due. Its workers run for the renewals alone: {workers}. They
call a gateway of ours that answers after 50 ms; the CPU is theirs for a whole renewal, with its mail, which
is written and not sent.
"""


def markdown(results: Sequence[Results], *, command: str) -> str:
    """Return the page: the machine, the figures beside their goals, then each path by itself."""
    date = datetime.now(UTC).date().isoformat()
    head = HEAD.format(command=command, date=date, machine=machine(results), workers=_workers())
    tables = f"## Figures and goals\n{goals(results)}\n## Paths\n{paths(results)}"
    return f"{head}\n{tables}\n## Gateways: lines of code, tables of data not counted\n{gateways()}"


def _workers() -> str:
    return "; ".join(f"on {name} {count} of {threads} threads" for name, (count, threads) in WORKERS.items())


def goals(results: Sequence[Results]) -> str:
    """Return the table of figures, one column of value and goal for each database."""
    rows = [["", *(word for result in results for word in (result.database, "goal"))]]
    for name in _names(figure.name for result in results for figure in result.figures):
        found = [_figure(result, name) for result in results]
        rows.append([name, *(word for figure in found for word in _cells(figure))])
    return table(rows)


def paths(results: Sequence[Results]) -> str:
    """Return the table of requests a second and times, path by path."""
    rows = [
        ["", *(f"{result.database}: {what}" for result in results for what in ("a second", "p50 / p99 ms"))]
    ]
    for name in _names(series.name for result in results for series in result.series):
        found = [next((s for s in result.series if s.name == name), None) for result in results]
        rows.append([name, *(word for series in found for word in _times(series))])
    return table(rows)


def gateways() -> str:
    """Return how much code each gateway takes, as adapter and as emulator."""
    rows = [["", "adapter", "emulator"]]
    for adapter in sorted((ROOT / "tillgate" / "gateways").glob("*/")):
        emulator = ROOT / "sandbox" / adapter.name
        if emulator.is_dir() and (adapter / "wire.py").is_file():
            rows.append([adapter.name, str(lines_below(adapter)), f"{lines_below(emulator):,}"])
    return table(rows)


def machine(results: Sequence[Results]) -> str:
    """Return what kind of machine and what software it was."""
    software = [f"Python {platform.python_version()}"]
    software += [f"{name} {version(name)}" for name in ("django", "djangorestframework", "granian")]
    software += [f"{result.database} {result.version}" for result in results if result.version]
    kind = f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}"
    return f"{kind}; {', '.join(software)}; load by {generator()}."


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a Markdown table that can also be read as it is."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines) + "\n"


def _names(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _figure(result: Results, name: str) -> Figure | None:
    return next((figure for figure in result.figures if figure.name == name), None)


def _cells(figure: Figure | None) -> tuple[str, str]:
    if figure is None:
        return "", ""
    return str(figure), str(figure.goal) if figure.goal else ""


def _times(series: Series | None) -> tuple[str, str]:
    if series is None or not series.rounds:
        return "", ""
    middle = series.middle
    times = "" if math.isnan(middle.p50_ms) else f"{number(middle.p50_ms)} / {number(middle.p99_ms)}"
    return number(middle.per_s), times
