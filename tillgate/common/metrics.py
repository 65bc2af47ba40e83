"""Figures for whoever watches, in Prometheus' text: what rooms read from the database when they are asked,
and how this web server's requests went.

A room has them in its module `metrics`, and reads by indexes or the newest rows alone: whoever asks every few
seconds must not be felt. The library that writes the text is loaded by the first process that is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from django.db import Error
from django.utils.module_loading import autodiscover_modules

from tillgate.common import request_counts
from tillgate.common.database import answers
from tillgate.common.jobs.standing import MOST, standing
from tillgate.common.restoration import is_holding

if TYPE_CHECKING:
    from prometheus_client import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
log = structlog.get_logger(__name__)

Samples = Mapping[tuple[str, ...], float]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One metric: `tillgate_` and its name, what it is, and a number by the values of its `labels`.

    One whose name ends in `_total` only grows.
    """

    name: str
    says: str
    samples: Samples
    labels: tuple[str, ...] = ()


Reader = Callable[[], Iterable[Figure]]
_readers: dict[str, Reader] = {}


def figures(reader: Reader) -> Reader:
    """Let the figures that a function yields be among those that are shown."""
    _readers[f"{reader.__module__}.{reader.__qualname__}"] = reader
    return reader


def one(name: str, says: str, value: float) -> Figure:
    """Return a figure without labels."""
    return Figure(name=name, says=says, samples={(): value})


def exposition() -> bytes:
    """Return all figures as Prometheus reads them. Where the database does not answer, that is a figure."""
    from prometheus_client import generate_latest

    autodiscover_modules("metrics")
    return generate_latest(_Shown([*map(_family, _all()), request_counts.family()]))


class _Shown:
    """What the library asks for the families that it is to write."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        """Return them."""
        return self._families


def _family(figure: Figure) -> Metric:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    kind = CounterMetricFamily if figure.name.endswith("_total") else GaugeMetricFamily
    family = kind(f"tillgate_{figure.name}", figure.says, labels=figure.labels)
    for values, number in figure.samples.items():
        family.add_metric(values, number)
    return family


def _all() -> Iterator[Figure]:
    is_there = answers()
    yield one("database_up", "1 if the database answers; else only the requests are shown", is_there)
    unread: dict[tuple[str, ...], float] = {}
    for name, reader in _readers.items() if is_there else ():
        try:
            yield from list(reader())
        except Error as error:
            log.error("metrics_unread", reader=name, reason=str(error))
            unread[name,] = 1
    says = "1 for figures that the database did not give this time"
    yield Figure(name="metrics_unread", says=says, labels=("reader",), samples=unread)


@figures
def jobs() -> Iterator[Figure]:
    """How the worker's work stands."""
    now = standing()
    states = {"due": now.due, "later": now.later, "running": now.running, "dead": now.dead}
    yield Figure(
        name="jobs",
        says=f"Jobs by where they stand, each counted to {MOST}; dead ones wait for ./run revive-jobs",
        labels=("state",),
        samples={(state,): count for state, count in states.items()},
    )
    yield one("jobs_oldest_due_seconds", "How long the oldest job that is due has waited", now.oldest_due_s)
    says = "1 while a restored backup keeps charges without the customer back: ./run release-charges"
    yield one("charges_held", says, is_holding())
    if now.last_sign_s is not None:
        says = "Seconds since a worker was last seen at work; below 20 while one runs"
        yield one("worker_last_sign_seconds", says, now.last_sign_s)
