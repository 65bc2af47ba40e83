"""What is in the image and how it starts, read from the files that make it."""

import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.environment import ROOT
from tests.deploy.dockerfile import ignore_rules, instructions, is_sent, sent_files
from tests.requires import skip_without

HADOLINT = shutil.which("hadolint", path=Path(sys.executable).parent) or shutil.which("hadolint")
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
ALL = instructions(TEXT)
FINAL = [one for one in ALL if one.stage == max(one.stage for one in ALL)]
RULES = ignore_rules((ROOT / ".dockerignore").read_text(encoding="utf-8"))


def of(word, among=ALL):
    return [one.text for one in among if one.word == word]


def settings():
    pairs = re.findall(r'(\w+)=("[^"]*"|\S+)', " ".join(of("ENV", FINAL)))
    return {name: value.strip('"') for name, value in pairs}


def test_hadolint_finds_nothing():
    if HADOLINT is None:
        skip_without("hadolint", "hadolint is not installed (requirements/dev.lock)")
    done = subprocess.run([HADOLINT, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_every_stage_begins_with_the_one_image_that_is_pinned_by_digest():
    (pinned,) = [text for text in of("ARG") if text.startswith("PYTHON_IMAGE=")]

    assert re.fullmatch(r"PYTHON_IMAGE=python:3\.\d+\.\d+-slim-\w+@sha256:[0-9a-f]{64}", pinned)
    assert {text.split()[0] for text in of("FROM")} == {"${PYTHON_IMAGE}"}


def test_its_user_is_a_number_that_is_not_roots_and_it_writes_to_its_volume_alone():
    assert of("USER", FINAL) == ["10001:10001"]
    assert of("RUN", FINAL) == ["install -d -o 10001 -g 10001 -m 0700 /data"]
    assert of("VOLUME", FINAL) == ['["/data"]']
    assert not [text for text in of("COPY", FINAL) if "--chown" in text]
    assert [one.word for one in FINAL].index("USER") > [one.word for one in FINAL].index("RUN")


def test_packages_come_from_the_locks_with_their_hashes_and_from_nowhere_else():
    steps = [step for text in of("RUN") for step in text.split(" && ")]
    installs = [step.split() for step in steps if re.search(r"\bpip (install|sync)\b", step)]

    assert [install[-1] for install in installs] == ["bootstrap.lock", "base.lock"]
    assert all("--require-hashes" in install for install in installs)
    assert not of("ADD")
    assert not re.search(r"curl|wget|apt-get|git clone|:latest", TEXT)


def test_it_starts_in_exec_form_so_that_signals_reach_it_and_without_a_word_it_is_everything():
    starts = {one.word: one.list() for one in FINAL if one.word in {"ENTRYPOINT", "CMD"}}

    assert starts == {"ENTRYPOINT": ["python", "-m", "launcher"], "CMD": []}
    assert of("STOPSIGNAL", FINAL) == ["SIGTERM"]
    assert of("EXPOSE", FINAL) == ["8000"]


def test_it_is_a_production_that_listens_to_the_outside_and_keeps_its_data_in_the_volume():
    said = settings()

    assert said["PATH"].startswith("/opt/venv/bin:")
    assert (said["TILLGATE_ENV"], said["TILLGATE_DATA_DIR"]) == ("production", "/data")
    assert said["TILLGATE_HOST"] == "0.0.0.0"
    assert not [name for name in said if re.search(r"SECRET|_KEY|PASSWORD|TOKEN", name)]


@pytest.mark.parametrize("word", ["prepare", "web", "worker"])
def test_a_platform_that_takes_the_entry_point_away_finds_the_word_as_a_program(word):
    (run,) = [text for text in of("RUN") if "printf" in text]

    assert re.search(rf"for word in [a-z ]*\b{word}\b", run)
    assert f"/opt/venv/bin/{word}" in run


def test_all_that_is_copied_is_sent_to_the_builder():
    copied = [
        source
        for text in of("COPY")
        if "--from" not in text
        for source in text.split()[:-1]
        if not source.startswith("--")
    ]
    sent = set(sent_files())

    assert len(copied) >= 8
    for source in copied:
        path = source.removeprefix("./")
        assert path in sent or any(name.startswith(f"{path}/") for name in sent), source


def test_the_builder_gets_what_runs_and_nothing_else():
    sent = list(sent_files())

    tops = {name.split("/")[0] for name in sent}
    assert tops == {
        "LICENSE", "launcher", "manage.py", "pyproject.toml", "requirements", "sandbox", "tillgate"
    }  # fmt: skip
    assert {name for name in sent if name.startswith("requirements/")} == {
        "requirements/base.lock",
        "requirements/bootstrap.lock",
    }
    assert "tillgate/settings.py" in sent
    assert not [name for name in sent if name.endswith(".pyc")]


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".git/config",
        ".venv/bin/python",
        "secrets/secret_key",
        "staticfiles/x.css",
        "tests/conftest.py",
        "tillgate/.env",
        "tillgate/checkout/.netrc",
        "tillgate/__pycache__/settings.cpython-313.pyc",
        "var/encryption_key",
        "var/tillgate.sqlite3",
    ],
)
def test_what_is_secret_or_only_ours_stays_out_whether_it_is_there_today_or_not(path):
    assert not is_sent(path, RULES)


class Answering:
    """A server that answers every request with one status."""

    def __init__(self, status):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.status = status

    def __enter__(self):
        return self.listener.getsockname()[1]

    def __exit__(self, *_):
        self.listener.close()

    def answer_once(self):
        connection, _ = self.listener.accept()
        with connection:
            self.heard = connection.recv(4096)
            connection.sendall(f"HTTP/1.1 {self.status} X\r\nContent-Length: 0\r\n\r\n".encode())


def health_check(port):
    (text,) = of("HEALTHCHECK", FINAL)
    command = next(one for one in FINAL if one.word == "HEALTHCHECK").list()
    assert "CMD [" in text
    return subprocess.Popen(
        [sys.executable, *command[1:]], env={"PORT": str(port)}, stderr=subprocess.DEVNULL
    )


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_its_health_check_asks_whether_it_is_ready(status, healthy):
    server = Answering(status)
    with server as port:
        check = health_check(port)
        server.answer_once()

        assert (check.wait(10) == 0) == healthy
    assert server.heard.startswith(b"GET /readyz HTTP/1.1\r\n")


def test_its_health_check_fails_where_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    assert health_check(port).wait(10) != 0


PAGE = (ROOT / "docs" / "image.md").read_text(encoding="utf-8")


def test_its_page_names_files_and_words_that_there_are():
    files = set(re.findall(r"(?<![\w/.-])((?:deploy|requirements)/[\w./-]*\w|\w+\.yaml)", PAGE))
    pages = {f"docs/{name}" for name in re.findall(r"\]\(([\w-]+\.md)", PAGE)}
    words = set(re.findall(r"(?:python -m launcher|/run) ([a-z-]+)", PAGE))
    commands = {
        path.stem.replace("_", "-") for path in (ROOT / "tillgate" / "management" / "commands").glob("*.py")
    }

    assert {"compose.yaml", "render.yaml", "deploy/Caddyfile", "deploy/make-secrets.sh"} <= files
    assert [name for name in files | pages if not (ROOT / name).exists()] == []
    assert {"doctor", "backup", "collectstatic"} <= words <= commands
