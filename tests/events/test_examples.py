"""The receivers of `examples/`: each takes what we send, and refuses what somebody else has signed.

They need the frameworks and the public library of their language; without them these tests are skipped, and
say so. For Express: `npm ci --prefix examples/express`.
"""

import asyncio
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.test import RequestFactory

from tests.requires import skip_without
from tillgate.common.jobs.times import real_now
from tillgate.events.addresses import read_url
from tillgate.events.client import Connection
from tillgate.events.models import Endpoint
from tillgate.events.services.sending import send_due
from tillgate.events.signing import new_secret, signed_headers

EXAMPLES = Path(__file__).parents[2] / "examples"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = (
    b'{"type":"payment.completed","timestamp":"2026-01-31T09:00:00.000Z","data":{"id":"PAY-1"},"sequence":3}'
)


def headers(secret: str = SECRET) -> dict[str, str]:
    return signed_headers("EVT-1", int(real_now().timestamp()), BODY, [secret])


def load(name: str, *needs: str) -> Any:
    for package in ("standardwebhooks", *needs):
        if importlib.util.find_spec(package) is None:
            skip_without("examples", f"{package} is not installed: pip install {package}")
    specification = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert specification is not None
    module = importlib.util.module_from_spec(specification)
    assert specification.loader is not None
    specification.loader.exec_module(module)
    return module


def by_django(body: bytes, sent: dict[str, str]) -> int:
    request = RequestFactory().post("/hooks", body, content_type="application/json", headers=sent)
    return load("django_receiver").hooks(request).status_code


def by_flask(body: bytes, sent: dict[str, str]) -> int:
    client = load("flask_receiver", "flask").app.test_client()
    return client.post("/hooks", data=body, headers=sent, content_type="application/json").status_code


def by_fastapi(body: bytes, sent: dict[str, str]) -> int:
    app = load("fastapi_receiver", "fastapi").app
    told: list[dict[str, Any]] = []
    lines = [(name.encode(), value.encode()) for name, value in sent.items()]
    scope = {"type": "http", "method": "POST", "path": "/hooks", "headers": lines, "query_string": b""}
    pieces = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return pieces.pop() if pieces else {"type": "http.disconnect"}

    async def answer(message: dict[str, Any]) -> None:
        told.append(message)

    asyncio.run(app({**scope, "scheme": "http", "http_version": "1.1"}, receive, answer))
    return told[0]["status"]


@pytest.mark.parametrize("receive", [by_django, by_flask, by_fastapi])
def test_a_python_receiver_takes_ours_and_refuses_what_is_not(
    receive: Callable[[bytes, dict[str, str]], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)

    assert receive(BODY, headers()) == 204
    assert receive(BODY, headers(new_secret())) == 400
    assert receive(BODY.replace(b"PAY-1", b"PAY-2"), headers()) == 400


@contextmanager
def express() -> Iterator[str]:
    """The receiver of `examples/express` in a process of its own."""
    node, library = shutil.which("node"), EXAMPLES / "express" / "node_modules" / "standardwebhooks"
    if node is None or not library.is_dir():
        skip_without("express", "node or its packages are not here: npm ci --prefix examples/express")
    env = {"PATH": os.environ["PATH"], "WEBHOOK_SECRET": SECRET, "PORT": "0"}
    process = subprocess.Popen(
        [node, "receiver.js"], cwd=EXAMPLES / "express", env=env, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/hooks"
    finally:
        process.kill()
        process.communicate()


def test_the_express_receiver_takes_ours_and_refuses_what_is_not(farm, pay):
    with express() as url:
        farm(secret=SECRET)
        Endpoint.objects.update(url=url)
        pay()

        assert send_due() == 1

        delivery = Endpoint.objects.get().deliveries.get()
        assert (delivery.state, delivery.last_status) == ("delivered", 204)
        connection = Connection(read_url(url))
        assert connection.post(BODY, headers(new_secret())).status == 400
        connection.close()


def test_each_example_is_ten_lines_or_so():
    for path in [
        *EXAMPLES.glob("*.py"),
        EXAMPLES / "express" / "receiver.js",
        EXAMPLES / "php" / "receiver.php",
    ]:
        assert len(path.read_text().splitlines()) <= 25, path
        assert "standard" in path.read_text().lower()


def test_the_python_examples_compile():
    for path in EXAMPLES.glob("*.py"):
        compile(path.read_text(), str(path), "exec")
