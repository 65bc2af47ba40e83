"""Requests are counted by several processes into one sum, which outlives a process and not the server."""

import os
import re
import socket
import subprocess
import sys

import pytest

from tests.api.doors import APIS, api_doors, routes
from tests.environment import DATA_DIR
from tillgate.common import request_counts

# A web server whose processes count, one after the other, so many requests each; the last one reads.
SERVER = """
import subprocess, sys
child = '''
import sys, django
django.setup()
from tillgate.common import request_counts
for _ in range(int(sys.argv[1])):
    request_counts.count("GET", sys.argv[2], int(sys.argv[3]), 0.02)
if sys.argv[4] == "reads":
    from prometheus_client import generate_latest
    class Shown:
        def collect(self): return [request_counts.family()]
    print(generate_latest(Shown()).decode())
'''
for words in sys.argv[1:]:
    subprocess.run([sys.executable, "-c", child, *words.split(",")], check=True)
"""
ONE = """
import django
django.setup()
from tillgate.common import request_counts
request_counts.count("GET", "/a", 200, 0.1)
request_counts.count("GET", "/a", 200, 0.1)
print(request_counts.family().samples)
"""
# No file may grow beyond half of what a process needs, as on a disk that is nearly full; then it may.
FULL = """
import resource, signal, django
django.setup()
from tillgate.common import request_counts as counts
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (counts.FILE_BYTES // 2, hard))
counts.count("GET", "/a", 200, 0.1)
none = counts.family().samples
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
counts.count("GET", "/a", 200, 0.1)
counts._try_at = 0.0
counts.count("GET", "/a", 200, 0.1)
print(none, counts.family().samples[-2].value)
"""
FLOOD = """
import django
django.setup()
from tillgate.common import request_counts as counts
for number in range(2 * counts.MOST_SERIES):
    counts.count("DELETE", "/" + "long-name-of-a-route/" * 4 + str(number), 200, 0.1)
sums = [one for one in counts.family().samples if one.name.endswith("_sum")]
beyond = dict(zip(counts.LABELS, counts.BEYOND))
print(len(sums), *(one.value for one in sums if one.labels == beyond))
"""


@pytest.fixture
def alone(tmp_path):
    """Run a program as a process of its own, on data of its own."""

    def run(program, *words):
        env = {
            **os.environ,
            "TILLGATE_DATA_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "tillgate.settings",
        }
        done = subprocess.run(
            [sys.executable, "-c", program, *words], env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done

    return run


@pytest.fixture
def serve(alone):
    """Run a server to its end; return what the process that reads has read."""

    return lambda *processes: alone(SERVER, *processes).stdout


@pytest.fixture
def folders(tmp_path):
    return lambda: sorted((tmp_path / "metrics").iterdir())


def count_of(text, route, status="2xx"):
    name = f'{request_counts.NAME}_count{{method="GET",route="{route}",status="{status}"}} '
    return [float(line.removeprefix(name)) for line in text.splitlines() if line.startswith(name)]


def test_what_several_processes_count_is_one_sum_whether_they_live_or_not(serve):
    said = serve("3,/a,200,ends", "4,/a,201,ends", "5,/a,200,reads")

    assert count_of(said, "/a") == [12]
    assert f"# HELP {request_counts.NAME} Requests by method" in said


def test_statuses_are_counted_by_class(serve):
    said = serve("2,/a,404,ends", "1,/a,429,ends", "1,/a,500,reads")

    assert (count_of(said, "/a", "4xx"), count_of(said, "/a", "5xx")) == ([3], [1])


def test_the_next_start_begins_at_nothing_and_leaves_nothing_of_the_last(serve, folders):
    serve("3,/a,200,ends")
    (first,) = folders()
    said = serve("1,/a,200,reads")

    assert count_of(said, "/a") == [1]
    assert len(folders()) == 1
    assert folders() != [first]


def test_a_file_is_whole_from_the_beginning_so_that_a_full_disk_ends_no_process(serve, folders):
    serve("1,/a,200,ends")
    (folder,) = folders()

    sizes = {path.stat().st_size: path.stat().st_blocks * 512 for path in folder.iterdir()}
    assert list(sizes) == [request_counts.FILE_BYTES]
    assert sizes[request_counts.FILE_BYTES] >= request_counts.FILE_BYTES  # No holes.


def test_however_many_routes_there_are_the_file_does_not_grow(alone, folders):
    said = alone(FLOOD).stdout.split()

    assert int(said[0]) == request_counts.MOST_SERIES + 1
    assert float(said[1]) == pytest.approx(0.1 * request_counts.MOST_SERIES)
    sizes = {path.stat().st_size for folder in folders() for path in folder.iterdir()}
    assert sizes == {request_counts.FILE_BYTES}


def test_every_route_has_room_for_three_classes_of_answers():
    others = {route for route, _ in routes() if not route.startswith(APIS)}

    assert 3 * len(api_doors()) + 2 * 3 * len(others) <= request_counts.MOST_SERIES
    assert max(len(route) for route, _ in routes()) < len("long-name-of-a-route/" * 4)


def test_what_other_servers_left_is_cleared_away_and_what_lives_is_not(tmp_path):
    here, lives = socket.gethostname(), os.getpid()
    started = request_counts._started(lives)
    gone = [f"{here}-999999999-1", f"{here}-{lives}-1", f"{here}-odd", f"{here}-{lives}", "elsewhere-1-7"]
    stay = [f"{here}-{lives}-{started}", "elsewhere-1-8"]
    for name in (*gone, *stay):
        (tmp_path / name).mkdir()
    os.utime(tmp_path / "elsewhere-1-7", (0, 0))

    request_counts._clear_away(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(stay)


def test_a_folder_that_cannot_be_written_costs_the_figure_and_no_request(alone, tmp_path):
    (tmp_path / "metrics").write_text("a file in the way")

    done = alone(ONE)

    assert done.stdout == "[]\n"
    assert done.stderr.count("requests_not_counted") == 1


def test_a_process_on_a_full_disk_leaves_nothing_half_and_counts_once_there_is_room(alone, folders):
    done = alone(FULL)

    assert done.stdout == "[] 1.0\n"
    assert done.stderr.count("requests_not_counted") == 1
    assert [path.suffix for folder in folders() for path in folder.iterdir()] == [".counts"]


@pytest.mark.parametrize(
    ("token", "local", "read"), [("", True, True), ("x" * 20, False, True), ("", False, False)]
)
def test_nothing_is_counted_where_nobody_may_read_it(settings, token, local, read):
    settings.TILLGATE_METRICS_TOKEN, settings.IS_LOCAL = token, local

    assert request_counts.are_read() is read


def test_the_seconds_fall_into_their_buckets(serve):
    said = serve("1,/a,200,reads")

    bucket = re.compile(r'_bucket{le="([^"]+)".*} (\d+)')
    assert [(le, int(count)) for le, count in bucket.findall(said)][1:4] == [
        ("0.01", 0),
        ("0.025", 1),
        ("0.05", 1),
    ]
    assert bucket.findall(said)[-1] == ("+Inf", "1")


def test_the_tests_own_counts_are_in_their_own_data():
    request_counts.count("GET", "/a", 200, 0.1)

    assert list((DATA_DIR / "metrics").glob(f"*/{os.getpid()}-*.counts"))
