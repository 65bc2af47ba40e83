"""`./run demo`: its reading of the checkout page, and whole payments by it."""

import http.server
import json
import subprocess
import sys
import threading
from typing import ClassVar

import pytest

from launcher.environment import ROOT, private_environment, product_environment
from launcher.http import Form
from tests.products import product_in

PAGE = """
<form method="get" action="/search"><input type="hidden" name="q" value="1"><button>Search</button></form>
<form method="post" action="/pay/T0KEN">
  <input type="hidden" name="csrfmiddlewaretoken" value="abc">
  <button name="gateway" value="other">Other</button>
  <button name="gateway" value="paystack">Paystack</button>
</form>
<form method="post" action="/other"><input type="hidden" name="late" value="1"></form>
"""


PAYMENT = {"id": "PAY-1", "amount": 50.0, "currency": "NGN", "status": "completed", "completed_at": "today"}
SESSION = {"gateway_reference": "ATT-1", "next_action": {"url": "http://127.0.0.1:1/gateway"}}


class Scene(http.server.BaseHTTPRequestHandler):
    """Product and sandbox in one, with the answers of one play; forms are answered by a redirect."""

    answers: ClassVar[dict[str, str]]

    def do_GET(self):
        self._say(200, self.answers[self.path])

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        is_form = "json" not in self.headers["Content-Type"]
        self._say(303 if is_form else 201, self.answers.get(self.path, "{}"))

    def _say(self, status, text):
        self.send_response(status)
        self.send_header("Location", SESSION["next_action"]["url"])
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_args):
        """Say nothing."""


@pytest.fixture
def stage():
    """Return a function that sets a stage and returns the demo's options for playing there."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scene)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"

    def play(payment, *, ok, hits):
        told = {"payment": {**PAYMENT, **payment, "checkout_url": f"{url}/pay/T0KEN"}}
        charge = {"reference": "ATT-1", "kind": "charge", "amount_minor": 5000}
        answers = {
            "/api/v1/payments": told,
            "/api/v1/payments/PAY-1": told,
            "/api/v1/payments/PAY-1/attempts": {"attempt": SESSION},
            "/control/events": {"events": []},
            "/control/faults": {"faults": [{"fault": "html", "hits": hits}]},
            "/control/journal": {"entries": [{**charge, "ok": one} for one in ok]},
        }
        Scene.answers = {"/pay/T0KEN": PAGE, **{path: json.dumps(body) for path, body in answers.items()}}
        return "--url", url, "--sandbox-url", url

    yield play
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def play_there(tmp_path_factory):
    """Return a function that plays demos in one running product, as in another terminal."""
    with product_in(tmp_path_factory.mktemp("demos")) as product:
        there = product.installation
        options = ("--url", there.url, "--sandbox-url", there.sandbox_url, "--data-dir", str(there.data_dir))
        # Named, so that no `.env` of a developer leads to another database.
        env = {"DATABASE_URL": f"sqlite:///{there.data_dir}/tillgate.sqlite3"}
        env |= product_environment(there, private_environment())
        yield lambda *arguments: run_demo(*options, *arguments, env=env)


def run_demo(*arguments, env=None):
    command = [sys.executable, "-m", "launcher", "demo", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=180
    )


def test_a_form_is_found_by_its_button():
    form = Form(PAGE, button="gateway", value="paystack")

    assert form.found
    assert form.action == "/pay/T0KEN"
    assert form.fields == {"csrfmiddlewaretoken": "abc", "gateway": "paystack"}


def test_a_missing_button_is_noticed():
    assert not Form(PAGE, button="gateway", value="paypal").found


def test_nobody_there_is_said_plainly():
    result = run_demo("--url", "http://127.0.0.1:1")

    assert result.returncode == 1
    assert "The demo failed: POST http://127.0.0.1:1/api/v1/payments got no answer" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_demo_on_a_stage_where_all_is_well_ends_well(stage):
    assert run_demo(*stage({}, ok=[True], hits=0)).returncode == 0


def test_a_fault_that_never_struck_is_not_called_well(stage):
    result = run_demo(*stage({}, ok=[True], hits=0), "--fault", "html")

    assert result.returncode == 1
    assert "html never struck" in result.stdout


@pytest.mark.parametrize(
    ("ok", "told"),
    [
        ([], "took nothing, which is wrong"),
        ([False], "took nothing, which is wrong"),
        ([True, True], "took 5000 minor units and 5000 minor units, which is wrong"),
    ],
)
def test_money_that_moved_wrongly_is_not_called_well(stage, ok, told):
    result = run_demo(*stage({}, ok=ok, hits=1), "--fault", "html")

    assert result.returncode == 1
    assert told in result.stdout


def test_an_end_that_was_not_expected_is_not_called_well(stage):
    result = run_demo(*stage({"status": "canceled", "completed_at": None}, ok=[True], hits=0))

    assert result.returncode == 1
    assert "it should have ended completed" in result.stdout


STEPS = ("created", "checkout", "session", "paid", "webhook")


@pytest.mark.slow
@pytest.mark.journey
def test_a_payment_goes_through_in_a_product_that_the_demo_brings_along():
    result = run_demo()

    assert result.returncode == 0, result.stdout + result.stderr
    for step in ("A private product is ready", *STEPS, "completed", "the gateway took the money once"):
        assert step in result.stdout


@pytest.mark.slow
@pytest.mark.journey
@pytest.mark.parametrize(
    ("gateway", "fault", "end", "taken"),
    [
        ("paystack", "timeout_after", "completed", "the money once"),
        pytest.param("paystack", "wrong_amount", "review", "the money once", marks=pytest.mark.long),
        ("flutterwave", "", "completed", "the money once"),
        ("flutterwave", "wrong_currency", "review", "the money once"),
        ("paypal", "", "completed", "the money once"),
        ("paypal", "decline", "failed", "nothing"),
        pytest.param("paypal", "pending", "completed", "the money once", marks=pytest.mark.long),
    ],
)
def test_a_payment_goes_through_to_its_right_end(play_there, gateway, fault, end, taken):
    result = play_there("--gateway", gateway, "--fault", fault)

    assert result.returncode == 0, result.stdout + result.stderr
    for step in (*STEPS, end, f"the gateway took {taken}"):
        assert step in result.stdout
