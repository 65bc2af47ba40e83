"""The sender in a worker's own process, killed and told to stop; and the words of the command line."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.builders import make_payment, make_settled
from tests.events.farm import answers, hangs, running
from tillgate.common.jobs.times import real_now
from tillgate.events.models import Delivery, Endpoint
from tillgate.merchants.services.merchants import ensure_default_merchant

pytestmark = pytest.mark.django_db(transaction=True)


def until(so: Callable[[], object], within_s: float = 40) -> None:
    deadline = time.monotonic() + within_s
    while not so():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.02)


def start_worker() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "worker", "--threads", "2"],
        env={**os.environ, "DATABASE_URL": database_url()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def database_url() -> str:
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    place = database["HOST"] if database["HOST"].startswith("/") else ""
    host = "" if place else f"{database['HOST']}:{database['PORT'] or 5432}"
    return f"postgresql://{database['USER']}@{host}{place and '/' + place}/{database['NAME']}"


@pytest.mark.slow
def test_o05_a_killed_worker_sends_it_again_and_a_terminated_one_ends_well(farm, pay):
    receiver, _ = farm(hangs)
    pay()
    first = start_worker()
    try:
        until(lambda: receiver.received)
        first.send_signal(signal.SIGKILL)  # Between the POST and its mark.
    finally:
        first.kill()
        first.communicate()
    assert Delivery.objects.get().state == "pending"

    receiver.behaviour = answers(200)
    Endpoint.objects.update(lane_until=real_now() - timedelta(seconds=1))  # As a minute later.
    second = start_worker()
    try:
        until(lambda: Delivery.objects.get().state == "delivered")
        second.terminate()
        _, errors = second.communicate(timeout=20)
    finally:
        second.kill()

    assert len(receiver.received) == 2
    assert len({(one.id, one.body) for one in receiver.received}) == 1
    assert (second.returncode, "Traceback" in errors) == (0, False)


@pytest.fixture
def kept_signals() -> Any:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def listen(url: str, meanwhile: Callable[[], None]) -> str:
    """Listen in this process until `meanwhile`, in a thread, is done."""
    out = StringIO()

    def act() -> None:
        try:
            until(lambda: "Ready" in out.getvalue())
            meanwhile()
        finally:
            connection.close()
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=act)
    thread.start()
    call_command("listen", "--forward-to", url, stdout=out)
    thread.join()
    return out.getvalue()


def test_listen_forwards_what_happens_prints_it_and_leaves_nothing(kept_signals, monkeypatch):
    from tillgate.events.services.sending import send_due

    monkeypatch.setattr("tillgate.management.commands.listen.REREAD_S", 0.01)
    merchant = ensure_default_merchant(name="My shop")
    with running() as receiver:

        def pay() -> None:
            make_settled(make_payment(merchant))
            send_due()
            time.sleep(0.6)  # It looks a few times a second.

        said = listen(receiver.url, pay)

    assert len(receiver.received) == 1
    assert "Secret: whsec_" in said
    assert "payment.completed" in said
    assert "-> 200" in said
    assert not Endpoint.objects.filter(deleted_at__isnull=True).exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--forward-to", "http://10.0.0.1/"], "https"),
        (["--forward-to", "https://10.0.0.1/"], "not public"),
        (["--forward-to", "http://127.0.0.1:1/", "--secret", "short"], "A secret is"),
    ],
)
def test_listen_refuses_what_cannot_be(words, why):
    ensure_default_merchant(name="My shop")

    with pytest.raises(CommandError, match=why):
        call_command("listen", *words)


def test_listen_is_for_a_developers_machine(settings):
    settings.IS_LOCAL = False

    with pytest.raises(CommandError, match="developer"):
        call_command("listen", "--forward-to", "http://127.0.0.1:1/")
