"""The units for a plain server: as systemd reads them, and by rules of our own."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from launcher.__main__ import WORDS
from launcher.environment import ROOT, Installation
from launcher.web import granian
from tests.requires import skip_without

UNITS = ROOT / "deploy" / "systemd"
COMMON = UNITS / "tillgate-.service.d" / "common.conf"
SERVICES = sorted(UNITS.glob("*.service"))
TIMERS = sorted(UNITS.glob("*.timer"))
PYTHON = "/opt/tillgate/.venv/bin/python"
EXPOSED_AT_MOST = 2.0
COMMANDS = {path.stem for path in (ROOT / "tillgate" / "management" / "commands").glob("*.py")}


def read(path):
    """The unit's settings by section; one that is given twice has both values."""
    section: dict[str, list[str]] = {}
    sections: dict[str, dict[str, list[str]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            section.setdefault(name, []).append(value)
    return sections


def one(path, section, name):
    (value,) = read(path)[section][name]
    return value


def settings(path):
    return dict(
        pair.split("=") for line in read(path)["Service"].get("Environment", []) for pair in line.split()
    )


@pytest.fixture
def systemd_analyze():
    tool = shutil.which("systemd-analyze")
    if tool is None:
        skip_without("systemd", "systemd-analyze is not here; on Debian it comes with systemd")
    return tool


@pytest.fixture
def installed(tmp_path):
    """The units, as on a server on which Tillgate is installed."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\n", encoding="ascii")
    python.chmod(0o755)
    folder = tmp_path / "units"
    shutil.copytree(UNITS, folder)
    for path in folder.glob("*.service"):
        path.write_text(path.read_text(encoding="utf-8").replace(PYTHON, str(python)), encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", [path.name for path in (*SERVICES, *TIMERS)])
def test_systemd_finds_nothing_wrong(systemd_analyze, installed, name):
    line = [systemd_analyze, "verify", "--man=no", str(installed / name)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_systemd_reads_what_the_units_have_in_common(systemd_analyze, installed):
    common = installed / "tillgate-.service.d" / "common.conf"
    common.write_text(common.read_text(encoding="utf-8") + "NoSuchSetting=yes\n", encoding="utf-8")
    line = [systemd_analyze, "verify", "--man=no", str(installed / "tillgate-web.service")]
    done = subprocess.run(line, capture_output=True, text=True, check=False)

    assert "NoSuchSetting" in done.stderr


@pytest.mark.parametrize("name", [path.name for path in SERVICES])
def test_systemd_calls_them_hardly_exposed(systemd_analyze, installed, name):
    line = [systemd_analyze, "security", "--offline=true", "--no-pager", str(installed / name)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)

    assert found, done.stdout + done.stderr
    assert float(found[1]) <= EXPOSED_AT_MOST


def test_they_run_as_nobody_in_particular_and_write_to_their_data_alone():
    common = read(COMMON)["Service"]

    assert common["User"] == common["Group"] == ["tillgate"]
    assert common["NoNewPrivileges"] == common["PrivateTmp"] == ["yes"]
    assert common["ProtectSystem"] == ["strict"]
    assert common["StateDirectory"] == ["tillgate"]
    assert common["CapabilityBoundingSet"] == [""]
    assert "ReadWritePaths" not in common
    assert settings(COMMON)["TILLGATE_DATA_DIR"] == "/var/lib/tillgate"
    assert settings(COMMON)["TILLGATE_ENV"] == "production"
    assert settings(COMMON)["TILLGATE_TRUSTED_PROXIES"] == "1"


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)
def test_each_starts_a_word_that_there_is_with_bounds_on_memory(path):
    python, dash_m, module, word, *_ = one(path, "Service", "ExecStart").split()

    assert (python, dash_m, module) == (PYTHON, "-m", "launcher")
    assert word in WORDS or word.replace("-", "_") in COMMANDS
    assert one(path, "Service", "MemoryMax").endswith("M")
    # Below the prefix's folder, all of them have what is common.
    assert path.name.startswith("tillgate-")
    assert not {"User", "EnvironmentFile", "ProtectSystem"} & set(read(path)["Service"])


@pytest.mark.parametrize("name", ["web", "worker"])
def test_what_serves_starts_after_the_migrations_and_again_when_it_fails(name):
    path = UNITS / f"tillgate-{name}.service"

    assert "tillgate-prepare.service" in one(path, "Unit", "Wants").split()
    assert "tillgate-prepare.service" in one(path, "Unit", "After").split()
    assert one(path, "Service", "Restart") == "on-failure"
    assert one(path, "Install", "WantedBy") == "multi-user.target"
    prepare = UNITS / "tillgate-prepare.service"
    assert (one(prepare, "Service", "Type"), one(prepare, "Service", "Restart")) == ("oneshot", "on-failure")


def test_whoever_is_stopped_has_the_time_that_it_takes():
    words = granian(Installation(data_dir=Path("data")), {})
    kill_after_s = int(words[words.index("--workers-kill-timeout") + 1])
    web, worker = (UNITS / f"tillgate-{name}.service" for name in ("web", "worker"))

    assert int(one(web, "Service", "TimeoutStopSec")) > kill_after_s + int(settings(web)["TILLGATE_LEAVE_S"])
    assert int(one(worker, "Service", "TimeoutStopSec")) > 15
    # Else systemd tells granian's own processes as well, before granian does.
    assert one(COMMON, "Service", "KillMode") == "mixed"


def test_the_web_server_listens_to_this_machine_alone():
    assert settings(UNITS / "tillgate-web.service")["TILLGATE_HOST"] == "127.0.0.1"


@pytest.mark.parametrize("path", TIMERS, ids=lambda path: path.stem)
def test_a_timer_starts_its_service_each_day_and_makes_up_for_a_missed_one(path):
    assert path.with_suffix(".service") in SERVICES
    assert one(path, "Timer", "OnCalendar").startswith("*-*-* ")
    assert one(path, "Timer", "Persistent") == "true"
    assert one(path, "Install", "WantedBy") == "timers.target"


def test_backups_do_not_fill_the_disk():
    assert re.search(r" backup --keep \d+$", one(UNITS / "tillgate-backup.service", "Service", "ExecStart"))


def test_settings_of_the_example_are_known():
    named = re.findall(r"^(\w+)=", (UNITS / "tillgate.env.example").read_text(encoding="utf-8"), re.MULTILINE)
    known = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))

    assert {name.removesuffix("_FILE") for name in named} <= known
