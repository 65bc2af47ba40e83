"""Sign-ins are kept for a while after their end, and then deleted."""

from datetime import timedelta

import pytest

from tests.builders import make_user
from tillgate.common import clock
from tillgate.merchants.jobs import forget_old_logins
from tillgate.merchants.models import Login
from tillgate.merchants.services import logins
from tillgate.merchants.services.logins import Device, start_login

LIFE_DAYS, KEPT_DAYS = 7, 90


@pytest.mark.parametrize(
    ("unused_days", "ended_days", "is_kept"),
    [
        (0, None, True),
        (LIFE_DAYS + KEPT_DAYS - 1, None, True),
        (LIFE_DAYS + KEPT_DAYS + 1, None, False),
        (KEPT_DAYS, KEPT_DAYS - 1, True),
        (KEPT_DAYS + 2, KEPT_DAYS + 1, False),
    ],
)
def test_a_login_is_kept_for_90_days_after_nothing_can_come_of_it(db, unused_days, ended_days, is_kept):
    login, now = start_login(make_user(), Device()), clock.now()
    ended_at = None if ended_days is None else now - timedelta(days=ended_days)
    last_used_at = now - timedelta(days=unused_days)
    Login.objects.update(created_at=last_used_at, last_used_at=last_used_at, ended_at=ended_at)

    forget_old_logins.call()

    assert Login.objects.filter(pk=login.pk).exists() == is_kept


def test_however_many_there_are_all_old_ones_go_and_no_other(db, monkeypatch):
    monkeypatch.setattr(logins, "AT_ONCE", 2)
    user = make_user()
    for _ in range(5):
        start_login(user, Device())
    Login.objects.update(last_used_at=clock.now() - timedelta(days=LIFE_DAYS + KEPT_DAYS + 1))
    kept = start_login(user, Device())

    assert logins.forget_old_logins() == 5
    assert Login.objects.get() == kept
