"""T-06: the scheduler was down over one due date, or over several."""

import pytest

from tillgate.common import clock


def sleep(days):
    clock.advance(days * 86_400)


def test_one_missed_due_date_is_charged_when_the_scheduler_is_back(diary):
    sleep(34)

    diary.look()

    assert [cycle.status for cycle in diary.cycles()] == ["paid"]


@pytest.mark.parametrize(
    ("policy", "statuses"),
    [
        ("latest", ["skipped", "skipped", "paid"]),
        ("all", ["paid", "paid", "paid"]),
        ("none", ["skipped", "skipped", "skipped"]),
    ],
)
def test_after_three_missed_due_dates_the_setting_decides(diary, settings, policy, statuses):
    settings.TILLGATE_MISSED_CYCLES = policy
    sleep(100)

    for _ in range(4):
        diary.look()

    assert [cycle.status for cycle in diary.cycles()] == statuses
    assert len(diary.requests) == statuses.count("paid")


def test_none_still_collects_what_is_less_than_a_day_late(diary, settings):
    settings.TILLGATE_MISSED_CYCLES = "none"
    late_s = (diary.subscription.next_opens_at - clock.now()).total_seconds() + 20 * 3_600
    clock.advance(round(late_s))

    diary.look()

    assert [cycle.status for cycle in diary.cycles()] == ["paid"]


def test_missed_cycles_do_not_count_towards_the_agreed_number(monthly):
    diary = monthly(cycles=3, cycles_left=2)
    sleep(100)

    diary.pass_days(70)

    assert diary.status() == "completed"
    assert len(diary.requests) == 2


def test_the_next_due_date_after_a_downtime_is_still_the_anchors(diary):
    sleep(100)

    diary.look()

    diary.subscription.refresh_from_db()
    assert diary.subscription.next_opens_at == diary.subscription.rhythm.due_at(4)


def test_a_daily_one_that_slept_for_years_writes_no_endless_list(monthly):
    diary = monthly(interval="daily")
    sleep(3 * 366)

    diary.look()

    assert len(diary.cycles()) <= 1_001
    assert len(diary.requests) == 1
