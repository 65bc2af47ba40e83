"""docs/events.md says of each event what there is to say, and what it shows is what is sent."""

import json
import re
from pathlib import Path

import pytest

from tests.builders import (
    make_dispute,
    make_endpoint,
    make_payment,
    make_refund,
    make_settled,
    make_subscription,
)
from tillgate.api.shapes import told
from tillgate.events.addresses import PORTS
from tillgate.events.services.sending import LADDER_S
from tillgate.events.types import TEST, TYPES

TEXT = (Path(__file__).parents[2] / "docs" / "events.md").read_text()
ROWS = [line.split("|") for line in TEXT.splitlines() if line.startswith("| `")]


@pytest.mark.parametrize("type", [*TYPES, TEST])
def test_every_event_has_a_row_with_its_body_its_cause_and_what_to_do(type):
    [row] = [row for row in ROWS if f"`{type}`" in row[1]]

    assert row[2].strip() == type.partition(".")[0]
    assert all(cell.strip() for cell in row[3:5])


def test_the_page_names_no_event_that_there_is_not():
    kinds = "payment|refund|subscription|dispute|endpoint"
    named = set(re.findall(rf"`((?:{kinds})\.[a-z_]+)`", TEXT))

    assert named == {*TYPES, TEST}


def test_the_bodies_have_the_members_that_are_sent(merchant):
    attempt = make_settled(make_payment(merchant))
    rows = [
        attempt.payment,
        make_refund(attempt.payment, attempt),
        make_subscription(merchant),
        make_dispute(attempt),
        make_endpoint(merchant),
    ]
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)]

    assert [list(one) for one in shown] == [list(json.loads(told.show(row))) for row in rows]


def test_the_ladder_and_the_ports_are_as_the_code_has_them():
    assert (
        tuple(
            int(step * unit)
            for step, unit in [
                (0, 1),
                (5, 1),
                (5, 60),
                (30, 60),
                *((h, 3600) for h in (2, 5, 10, 14, 20, 24)),
            ]
        )
        == LADDER_S
    )
    assert "5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 h" in TEXT
    assert all(str(port) in TEXT for port in PORTS)
