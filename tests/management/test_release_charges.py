"""After a restoration a person says when the lost installation stopped."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tillgate.common import clock, restoration
from tillgate.common.models import Restoration

HOUR = timedelta(hours=1)


@pytest.fixture
def held(db):
    """A backup of three hours ago was restored a moment ago."""
    now = clock.now().replace(microsecond=0)
    return Restoration.objects.create(backed_up_at=now - 3 * HOUR, ran_until=now)


def release(*words):
    out = StringIO()
    call_command("release_charges", "--yes", *words, stdout=out)
    return out.getvalue()


def test_without_a_word_it_may_have_run_until_the_restoration(held):
    assert "Released." in release()

    assert restoration.missed(held.ran_until) == held
    assert not restoration.is_holding()


@pytest.mark.parametrize("zone", [timedelta(0), timedelta(hours=-5), timedelta(hours=3)])
def test_a_time_is_read_in_its_zone(held, zone):
    stopped = held.backed_up_at + HOUR
    local = (stopped + zone).replace(tzinfo=None).isoformat()
    sign = "-" if zone < timedelta(0) else "+"

    release("--ran-until", f"{local}{sign}0{abs(zone) // HOUR}:00")

    assert restoration.missed(stopped) == held
    assert restoration.missed(stopped + timedelta(seconds=1)) is None


@pytest.mark.parametrize("text", ["2026-11-29T10:00", "2026-11-29", "ten o'clock", ""])
def test_a_time_without_its_zone_releases_nothing(held, text):
    with pytest.raises(CommandError, match="no time with its zone"):
        release("--ran-until", text)

    assert restoration.is_holding()


@pytest.mark.parametrize("ago", [4 * HOUR, -HOUR])
def test_a_time_that_cannot_be_releases_nothing(held, ago):
    with pytest.raises(CommandError, match="must lie between"):
        release("--ran-until", (held.ran_until - ago).isoformat())

    assert restoration.is_holding()


def test_one_that_had_stopped_before_the_backup_has_missed_nothing(held):
    said = release("--stopped-before")

    assert restoration.missed(held.backed_up_at) is None
    assert not restoration.is_holding()
    assert "looked up" not in said


def test_both_at_once_are_refused(held):
    with pytest.raises(CommandError, match="not allowed with"):
        release("--stopped-before", "--ran-until", "2026-11-29T10:00Z")
