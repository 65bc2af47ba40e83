"""Starting and ending processes: ports, clean stops, and what happens when one of them dies."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from launcher.environment import ROOT, Installation
from launcher.processes import Group, descendants, memory_of_group
from launcher.product import NotStarted, Product, answers, check_ports, free_ports, is_free

SLEEP = ["-c", "import time; time.sleep(60)"]
STUBBORN = [
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1); time.sleep(60)",
]
LISTEN = """
import http.server, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(sys.argv[2])); self.end_headers()
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""


@pytest.fixture
def group():
    group = Group()
    yield group
    group.force = True
    group.stop()


@pytest.fixture
def taken():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def wait_for(condition, within_s=10.0):
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_a_taken_port_is_named_with_the_option_to_use(taken, tmp_path):
    (free,) = free_ports(1)

    with pytest.raises(NotStarted, match=rf"Port {taken} is taken.*--port \d+"):
        check_ports(Installation(data_dir=tmp_path, port=taken, sandbox_port=free), sandbox=True)
    with pytest.raises(NotStarted, match=rf"Port {taken} is taken.*--sandbox-port \d+"):
        check_ports(Installation(data_dir=tmp_path, port=free, sandbox_port=taken), sandbox=True)


def test_the_sandboxs_port_does_not_matter_without_a_sandbox(taken, tmp_path):
    (free,) = free_ports(1)

    check_ports(Installation(data_dir=tmp_path, port=free, sandbox_port=taken), sandbox=False)


def test_one_port_for_two_servers_is_refused(tmp_path):
    (free,) = free_ports(1)

    with pytest.raises(NotStarted, match="must differ"):
        check_ports(Installation(data_dir=tmp_path, port=free, sandbox_port=free), sandbox=True)


def test_stop_ends_every_child(group):
    children = [group.start(name, SLEEP, os.environ) for name in ("one", "two", "three")]

    group.stop()

    assert [child.process.returncode for child in children] == [-signal.SIGTERM] * 3
    assert group.children == []


def test_a_forced_stop_kills_what_ignores_sigterm(tmp_path):
    path = tmp_path / "output"
    with path.open("wb") as output:
        group = Group(output)
        child = group.start("stubborn", ["-u", *STUBBORN], os.environ)
        wait_for(path.read_bytes)
        group.force = True
        other = subprocess.Popen([sys.executable, *SLEEP])

        group.stop()

    assert child.process.returncode == -signal.SIGKILL
    assert other.poll() is None  # It is not the group's.
    other.kill()
    other.wait()


def test_children_ignore_ctrl_c_and_leave_it_to_the_launcher(group):
    child = group.start("one", SLEEP, os.environ)
    wait_for(lambda: ignores_ctrl_c(child))

    os.kill(child.process.pid, signal.SIGINT)
    time.sleep(0.1)

    assert child.process.poll() is None


def ignores_ctrl_c(child):
    # SIGINT is ignored from before exec on; the mask of ignored signals is in /proc.
    path = f"/proc/{child.process.pid}/status"
    if not os.path.exists(path):
        return True
    with open(path, encoding="ascii") as status:
        ignored = next(line for line in status if line.startswith("SigIgn")).split()[1]
    return bool(int(ignored, 16) & (1 << (signal.SIGINT - 1)))


def test_a_child_that_died_is_named(group):
    group.start("sleeper", SLEEP, os.environ)
    child = group.start("mortal", ["-c", "raise SystemExit(3)"], os.environ)
    child.process.wait()

    dead = group.dead()

    assert dead is not None
    assert dead.name == "mortal"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_and_descendants_hold_the_whole_group(group):
    child = group.start("one", SLEEP, os.environ)

    assert child.process.pid in descendants(os.getpid())
    memory = memory_of_group()
    assert memory is not None
    assert memory.rss >= memory.pss > 1


@pytest.mark.parametrize(("status", "expected"), [(200, True), (503, False)])
def test_only_an_answer_of_200_is_ready(group, status, expected):
    (port,) = free_ports(1)
    group.start("server", ["-c", LISTEN, str(port), str(status)], os.environ)
    wait_for(lambda: not is_free(port))

    assert answers(port, "/readyz") is expected


def test_nobody_listening_is_not_ready():
    assert not answers(free_ports(1)[0], "/readyz")


def test_the_product_says_which_of_its_processes_ended(tmp_path):
    product = Product(Installation(data_dir=tmp_path), {"TILLGATE_ENV": "local"})
    child = product.group.start("worker", ["-c", "raise SystemExit(7)"], os.environ)
    child.process.wait()

    with pytest.raises(NotStarted, match=r"The worker ended by itself \(exit status 7\)"):
        product.watch()


def test_run_has_no_secrets_or_state_of_its_own_in_the_tree():
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()

    assert {"var/", ".env", ".venv/"} <= set(ignored)
