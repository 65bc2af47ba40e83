"""`./run demo --recurring`: what it holds a journal against, how it ticks a box, and whole years by it."""

import subprocess
import sys

import pytest

from launcher.environment import ROOT
from launcher.recurring_demo import AMOUNT_MINOR, MONTHS, wrongs
from launcher.stage import TickedForm

PAGE = """
<form method="post" action="/pay/T0KEN">
  <input type="checkbox" name="consent" value="abc" required>
  <button name="gateway" value="paystack">Pay</button>
</form>
"""


def charge(reference, *, ok=True, amount_minor=AMOUNT_MINOR, kind="charge"):
    return {"reference": reference, "kind": kind, "ok": ok, "amount_minor": amount_minor}


def year(*more):
    """A journal of a good year, with more behind it."""
    renewals = [charge(f"SUB-1-{month}-1") for month in range(1, MONTHS)]
    entries = [charge("ATT-1"), charge("SUB-1-3-2", ok=False), *renewals, *more]
    return [{**entry, "seq": seq} for seq, entry in enumerate(entries, start=1)]


def told(entries, stopped_seq=MONTHS + 1):
    return list(wrongs(entries, "SUB-1", "ATT-1", stopped_seq))


def run_demo(*arguments):
    command = [sys.executable, "-m", "launcher", "demo", "--recurring", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


def test_boxes_are_ticked():
    form = TickedForm(PAGE, button="gateway", value="paystack")

    assert form.fields == {"consent": "abc", "gateway": "paystack"}


def test_a_year_charged_once_a_month_is_called_well():
    assert told(year()) == []


def test_a_month_charged_twice_is_not_called_well():
    assert told(year(charge("SUB-1-5-2")), MONTHS + 2) == ["month 6: the gateway took [5000, 5000]"]


def test_a_month_that_was_not_charged_is_not_called_well():
    assert told([entry for entry in year() if entry["reference"] != "SUB-1-11-1"]) == [
        "month 12: the gateway took nothing"
    ]


def test_a_charge_after_the_stop_is_not_called_well():
    assert told(year(charge("SUB-1-12-1"))) == [
        "a charge that nobody asked for: SUB-1-12-1",
        "SUB-1-12-1 came after the stop",
    ]


def test_another_amount_and_a_refund_are_not_called_well():
    entries = year(charge("SUB-1-5-1", kind="refund", ok=False))
    entries[4]["amount_minor"] = 1

    assert told(entries, MONTHS + 2) == [
        "month 4: the gateway took [1]",
        "2 declines, and not the one that was planned",
        "a refund that nobody asked for: SUB-1-5-1",
    ]


@pytest.mark.parametrize("other", [("--fault", "html"), ("--url", "http://127.0.0.1:1")])
def test_a_year_is_played_in_a_product_of_its_own(other):
    result = run_demo(*other)

    assert result.returncode == 2
    assert "a product of its own" in result.stderr


@pytest.mark.long
@pytest.mark.journey
def test_a_year_is_charged_once_a_month_and_ends_when_it_is_stopped():
    result = run_demo()  # The two others take as long: `./run demo --recurring --gateway paypal`.

    assert result.returncode == 0, result.stdout + result.stderr
    assert "12 charges in 12 months, 1 declined" in result.stdout
    for step in ("consent", "active", "declined", "looked up", "mail", "stopped", "silence"):
        assert step in result.stdout
