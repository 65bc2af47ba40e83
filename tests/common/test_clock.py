from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from tillgate.common import clock
from tillgate.common.models import ClockOffset

MOMENT = timedelta(seconds=5)


def off_by(seconds):
    return abs(clock.now() - datetime.now(UTC) - timedelta(seconds=seconds)) < MOMENT


def test_unmoved_it_is_the_systems_time_in_utc(db):
    assert off_by(0)
    assert clock.now().tzinfo == UTC


def test_moves_add_up(db):
    clock.advance(3_600)

    assert clock.advance(86_400) == timedelta(seconds=90_000)
    assert off_by(90_000)


def test_a_move_by_another_process_is_seen_within_half_a_second(db, monkeypatch):
    assert off_by(0)
    ClockOffset.objects.create(pk=1, offset_s=3_600)

    monkeypatch.setattr(clock, "REREAD_S", 0.0)

    assert off_by(3_600)


def test_in_between_nothing_is_read(db, django_assert_num_queries):
    clock.now()

    with django_assert_num_queries(0):
        clock.now()


def test_in_production_it_is_the_systems_time_and_nothing_is_read(db, settings, django_assert_num_queries):
    clock.advance(3_600)
    settings.IS_LOCAL = False

    with django_assert_num_queries(0):
        assert off_by(0)


def test_a50_in_production_nobody_moves_it(db, settings):
    settings.IS_LOCAL = False

    with pytest.raises(AssertionError):
        clock.advance(1)
    with pytest.raises(CommandError, match="not moved"):
        call_command("advance_clock", "1")


def test_the_command_moves_it(db, capsys):
    call_command("advance_clock", "3600")

    assert capsys.readouterr().out == "The product's clock is 3600 s ahead of the system's.\n"
    assert off_by(3_600)


def test_the_command_moves_it_forward_only(db):
    with pytest.raises(CommandError, match="Time goes forward"):
        call_command("advance_clock", "-1")
