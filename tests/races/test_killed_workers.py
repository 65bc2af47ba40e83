"""Renewals all due at once, by workers that are killed: each is charged once, by the sandbox's journal."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.requires import skip_without
from tools.bench.databases import postgresql, sqlite
from tools.soak.renewals import Plan, Soak

PLAN = Plan(count=150, kill_every_s=1, most_kills=3, hurry=True, within_s=240)


@pytest.fixture
def database(tmp_path: Path) -> Any:
    """An empty database of the kind that this run of the suite is about."""
    found = sqlite(tmp_path) if connection.vendor == "sqlite" else postgresql(tmp_path)
    with found as empty:
        if empty.why_not:
            skip_without("postgresql", empty.why_not)
        yield empty


@pytest.mark.slow
def test_i8_killed_workers_charge_every_subscription_exactly_once(database, tmp_path):
    told: list[str] = []

    report = Soak(database, tmp_path, PLAN, told.append).run()

    assert report.problems == [], "\n".join(told[-10:])
    assert (report.truth.charged, report.truth.is_right) == (PLAN.count, True)
    assert report.kills > 0, "all was charged before anybody was killed: nothing was tried"
