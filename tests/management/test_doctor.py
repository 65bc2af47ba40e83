"""`./run doctor`, whole: every examination of every room, in its thread, over what is really there."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from tests.builders import make_account, make_merchant, make_payment_in, make_staff, make_subscription
from tillgate.common import clock
from tillgate.common.doctor.findings import EXAMINATIONS
from tillgate.common.jobs.models import Job
from tillgate.common.jobs.times import real_now
from tools.paths import ROOT

pytestmark = pytest.mark.django_db(transaction=True)
FORGETS = "It may forget what it has confirmed"
ABOUTS = [
    "database",
    "clock",
    "disk",
    "mail",
    "settings",
    "worker",
    "gateways",
    "keys",
    "people",
    "events",
    "money",
    "webhooks",
]


@pytest.fixture
def working(merchant):
    """An installation at which everything is well."""
    make_staff(merchant, "owner")
    call_command("create_key", stdout=StringIO())
    work = {"task": "x", "keeps_key": True, "unique_key": "x@1", "max_attempts": 1, "run_at": clock.now()}
    Job.objects.create(**work, status="done", created_at=clock.now(), ended_at=real_now())


def unwell(said):
    """What is not well; that the tests' own PostgreSQL keeps nothing on a disk is no news."""
    return [line for line in said.splitlines() if not line.startswith("ok") and FORGETS not in line]


def doctor(*options):
    """The exit status, and what was printed."""
    out = StringIO()
    try:
        call_command("doctor", *options, stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


def test_an_installation_at_which_all_is_well_has_status_0(working):
    status, said = doctor()

    assert unwell(said) == []
    assert status == (FORGETS in said)
    # In what order depends on which rooms were loaded before; nothing is stored that keys would open.
    assert {line[12:].split()[0] for line in said.splitlines()} == set(ABOUTS) - {"keys"}


def test_every_room_is_examined(working):
    doctor()
    rooms = {name.split(".")[1] for name in EXAMINATIONS}

    assert rooms == {"common", "merchants", "events", "payments", "subscriptions", "inbox"}
    assert {examination.about for examination in EXAMINATIONS.values()} == set(ABOUTS)


def test_what_is_broken_has_status_1_and_says_what_to_do(merchant):
    status, said = doctor()

    assert status == 1
    assert [line[:20].split()[-1] for line in unwell(said)] == ["worker", "people", "people"]
    assert "Fix: Start one: ./run worker" in unwell(said)[0]


def test_as_json_it_says_the_same(working, settings):
    settings.PAYSTACK_SECRET_KEY = ""
    status, said = doctor("--json")
    told = json.loads(said)

    assert (status, told["verdict"]) == (1, "broken")
    assert {"about", "verdict", "seen", "fix"} == set(told["findings"][0])
    broken = [one for one in told["findings"] if one["verdict"] == "broken" and FORGETS not in one["seen"]]
    assert [one["about"] for one in broken] == ["gateways"]


def test_no_secret_is_printed_and_nothing_of_anybody(working, settings):
    other = make_merchant(name="Nosy Books")
    make_account(other, "sk_test_the_secret_of_nosy_books")
    make_payment_in("review", other, customer_email="cleo@example.com")
    make_subscription(other, next_opens_at=clock.now() - timedelta(hours=2))
    _, said = doctor()

    secrets = [
        settings.PAYSTACK_SECRET_KEY,
        settings.SECRET_KEY,
        settings.TILLGATE_JWT_KEY,
        "sk_test_the_secret",
    ]
    personal = ["cleo@example.com", "Nosy Books", other.reference, "PAY-", "SUB-", "owner-"]
    assert [word for word in (*secrets, *personal, *settings.TILLGATE_ENCRYPTION_KEYS) if word in said] == []
    assert "for a person" in said


def test_settings_that_nothing_would_start_with_are_findings_and_a_database_that_is_away_is_one(tmp_path):
    env = {
        **os.environ,
        "SECRET_KEY": "short",
        "DATABASE_URL": "postgres://nobody:hunter2@127.0.0.1:9/nothing",
        "DJANGO_SETTINGS_MODULE": "tillgate.settings",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tillgate", "doctor"],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    broken = [line for line in done.stdout.splitlines() if line.startswith("broken")]
    assert done.returncode == 1
    assert [line[12:].split()[0] for line in broken] == ["database", "settings"]
    assert "SECRET_KEY is missing or shorter" in broken[1]
    assert "hunter2" not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
