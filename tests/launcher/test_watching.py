"""A running product is watched by its figures and the lines of its log; also when a process of it dies."""

import json
import os
import re
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from launcher.environment import Installation
from launcher.http import Client, Refused
from tests.e2e.journey import until
from tests.products import product_in

pytestmark = [pytest.mark.journey, pytest.mark.slow]
COUNT = re.compile(r'_seconds_count\{method="GET",route="/api/v1/gateways",status="2xx"\} (\d+)')


@pytest.fixture(scope="module")
def product() -> Iterator[tuple[Installation, Path]]:
    """A product that writes a line a request, and where it writes."""
    with (
        tempfile.TemporaryDirectory(prefix="tillgate-watched-") as folder,
        Path(folder, "log").open("wb") as log,
        product_in(Path(folder), output=log, TILLGATE_ACCESS_LOG="on", TILLGATE_WEB_PROCESSES="2") as running,
    ):
        yield running.installation, Path(folder, "log")


def ask(here: Installation, times: int) -> None:
    for _ in range(times):
        Client().get(f"{here.url}/api/v1/gateways")


def ask_until(here: Installation, processes: int) -> None:
    """Ask until so many processes have counted; one that is killed takes its connections with it."""

    def have_counted() -> bool:
        with suppress(Refused):
            ask(here, 3)
        return len(web_processes(here)) == processes

    until(have_counted)


def counted(here: Installation) -> int:
    return sum(int(count) for count in COUNT.findall(Client().get(f"{here.url}/metrics").text))


def web_processes(here: Installation) -> list[int]:
    """Those that have answered a request: each has a file."""
    return [int(path.name.partition("-")[0]) for path in (here.data_dir / "metrics").glob("*/*.counts")]


def test_all_processes_count_into_one_sum_which_a_killed_one_takes_nothing_from(product):
    here, _ = product
    ask(here, 20)
    ask_until(here, processes=2)
    before = counted(here)
    assert before >= 20
    assert {counted(here) for _ in range(6)} == {before}  # Whichever process answers.

    os.kill(web_processes(here)[0], signal.SIGKILL)
    ask_until(here, processes=3)

    assert before < counted(here) < before + 1_000


def test_the_worker_gives_signs_of_life(product):
    here, _ = product
    sign = re.compile(r"^tillgate_worker_last_sign_seconds (\d+)", re.MULTILINE)

    def seconds() -> int:
        return int(sign.findall(Client().get(f"{here.url}/metrics").text)[0])

    time.sleep(6)  # Longer than the shortest period of what a worker does.
    assert seconds() < 20


def test_every_request_is_a_line_of_json_with_its_id(product):
    here, log = product
    Client().get(f"{here.url}/api/v1/gateways")
    lines = [
        json.loads(line) for line in log.read_text().splitlines() if line.startswith('{"event":"request"')
    ]

    assert lines
    assert {line["route"] for line in lines} <= {"/api/v1/gateways", "/metrics", "none"}
    assert len({line["request_id"] for line in lines}) == len(lines)
    assert not [line for line in lines if line["route"] == "/readyz"]
