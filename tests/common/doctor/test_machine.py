"""What the doctor says of disk and mail."""

import shutil
import socket
from collections import namedtuple

import pytest

from tests.common.doctor.smtp_server import mail_server
from tillgate.common.doctor import machine

Usage = namedtuple("Usage", "total used free")
SMTP = "django.core.mail.backends.smtp.EmailBackend"
MB = 1_000_000


def only(examination):
    (finding,) = examination()
    return finding


@pytest.fixture
def smtp(settings):
    with mail_server() as server:
        settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", server.port
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "shop", "right"
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        yield server


def test_a_mail_server_that_lets_us_in_is_well_and_is_sent_nothing(smtp):
    finding = only(machine.mail)

    assert finding.verdict == "ok"
    assert "lets us in; mails come from" in finding.seen
    assert smtp.commands == ["EHLO", "AUTH", "QUIT"]


def test_a_wrong_password_is_broken_and_nobody_reads_it(smtp, settings):
    settings.EMAIL_HOST_PASSWORD = "hunter2"
    finding = only(machine.mail)

    assert finding.verdict == "broken"
    assert "does not let us in" in finding.seen
    assert "535" in finding.seen
    for secret in ("hunter2", "me@example.com"):
        assert secret not in finding.seen + finding.fix
    assert finding.fix.startswith("Set EMAIL_URL")


def test_one_that_nobody_answers_at_is_broken(smtp, settings):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.EMAIL_PORT = free.getsockname()[1]
        assert only(machine.mail).verdict == "broken"


def test_one_that_accepts_and_says_nothing_is_given_up_soon(smtp, settings, monkeypatch):
    monkeypatch.setattr(machine, "MAIL_WITHIN_S", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        settings.EMAIL_PORT = silent.getsockname()[1]
        finding = only(machine.mail)

    assert (finding.verdict, "timed out" in finding.seen) == ("broken", True)


def test_one_without_a_login_is_said_to_be_so(smtp, settings):
    settings.EMAIL_HOST_USER = ""

    assert "answers, without a login" in only(machine.mail).seen
    assert "AUTH" not in smtp.commands


@pytest.mark.parametrize(
    ("backend", "says"),
    [("filebased", "written into files in"), ("console", "go to console"), ("dummy", "to nobody")],
)
def test_mails_that_go_nowhere_are_broken_in_production(settings, tmp_path, backend, says):
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{backend}.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    locally = only(machine.mail)
    settings.IS_LOCAL = False
    in_production = only(machine.mail)

    assert (locally.verdict, in_production.verdict) == ("ok", "broken")
    assert says in locally.seen


ROOM = [
    (100_000, 50_000, "ok"),
    (2_000_000, 60_000, "ok"),
    (1_000, 700, "ok"),
    (100_000, 4_000, "look at it"),
    (1_000, 400, "look at it"),
    (100_000, 50, "broken"),
]


@pytest.mark.parametrize(("total", "free", "verdict"), ROOM)
def test_room_is_judged_by_what_is_left(monkeypatch, total, free, verdict):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(total * MB, 0, free * MB))
    findings = list(machine.disk())

    assert {finding.verdict for finding in findings} == {verdict}
    assert all(finding.fix for finding in findings) == (verdict != "ok")


def test_a_folder_that_is_not_there_is_broken(settings, tmp_path):
    settings.TILLGATE_DATA_DIR = tmp_path / "gone"

    assert [finding.seen for finding in machine.disk() if finding.verdict == "broken"] == [
        f"{tmp_path / 'gone'} cannot be written to."
    ]
