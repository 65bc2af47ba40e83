"""`./run demo`: its reading of the checkout page, and whole payments by it."""

import subprocess
import sys

import pytest

from launcher.environment import ROOT
from launcher.http import Form

PAGE = """
<form method="get" action="/search"><input type="hidden" name="q" value="1"><button>Search</button></form>
<form method="post" action="/pay/T0KEN">
  <input type="hidden" name="csrfmiddlewaretoken" value="abc">
  <button name="gateway" value="other">Other</button>
  <button name="gateway" value="paystack">Paystack</button>
</form>
<form method="post" action="/other"><input type="hidden" name="late" value="1"></form>
"""


def run_demo(*arguments):
    command = [sys.executable, "-m", "launcher.demo", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=180)


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


@pytest.mark.slow
@pytest.mark.journey
@pytest.mark.parametrize(
    ("fault", "end"), [("", "completed"), ("timeout_after", "completed"), ("wrong_amount", "review")]
)
def test_a_payment_goes_through_to_its_right_end(fault, end):
    result = run_demo("--fault", fault)

    assert result.returncode == 0, result.stdout + result.stderr
    for step in ("created", "checkout", "session", "paid", "webhook", end, "took the money once"):
        assert step in result.stdout
