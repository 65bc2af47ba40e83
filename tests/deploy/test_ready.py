"""`python -m deploy wait URL`."""

import time

import pytest

from deploy import ready
from deploy.__main__ import main
from deploy.failed import Failed
from launcher.product import free_ports

BUSY = (503, {"status": "unavailable", "migrations": "3 are not applied"})


def test_it_waits_until_the_product_is_ready(server, capsys):
    server.answers = {"GET /readyz": [BUSY, (500, ""), (200, {"status": "ok"})]}

    assert main(["wait", f"{server.url}/"]) == 0
    assert f"ready     {server.url}/ after" in capsys.readouterr().out
    assert len(server.asked) == 3


def test_it_says_what_it_saw_last(server, capsys):
    server.answers = {"GET /readyz": [BUSY]}

    assert main(["wait", server.url, "--within", "0.5"]) == 1
    assert "answered 503" in (said := capsys.readouterr().err)
    assert "3 are not applied" in said


def test_nobody_there_is_told_so(capsys):
    assert main(["wait", f"http://127.0.0.1:{free_ports(1)[0]}", "--within", "0.3"]) == 1
    assert "got no answer" in (said := capsys.readouterr().err)
    assert "Connection refused" in said


def test_a_redirect_is_not_ready(server, capsys):
    server.answers = {"GET /readyz": [(301, "", {"Location": f"{server.url}/other"})]}

    assert main(["wait", server.url, "--within", "0.1"]) == 1
    assert "answered 301" in capsys.readouterr().err


def test_it_asks_seldom_where_it_takes_long(server, monkeypatch):
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    server.answers = {"GET /readyz": [*[BUSY] * 7, (200, "")]}

    ready.wait_until_ready(server.url)

    assert pauses == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


def test_nobody_waits_for_what_has_ended(server):
    server.answers = {"GET /readyz": [BUSY]}

    with pytest.raises(Failed, match="ended by itself"):
        ready.wait_until_ready(server.url, alive=lambda: False)


def test_only_https_is_waited_for(capsys):
    assert main(["wait", "http://pay.example.com"]) == 1
    assert "must begin with https" in capsys.readouterr().err
