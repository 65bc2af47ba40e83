"""What the doctor says of recurring payments."""

from datetime import timedelta

from tests.builders import make_subscription
from tillgate.common import clock, restoration
from tillgate.common.models import Restoration
from tillgate.subscriptions import doctor


def test_recurring_payments_that_are_in_order_wait_for_nobody(merchant):
    make_subscription(merchant)

    assert [finding.verdict for finding in doctor.recurring()] == ["ok"]


def test_one_that_is_long_due_is_counted_and_not_named(merchant):
    late = make_subscription(merchant, next_opens_at=clock.now() - timedelta(hours=3))
    (finding,) = doctor.recurring()

    assert (finding.verdict, finding.seen) == (
        "look at it",
        "1 thing of recurring payments waits for a person.",
    )
    assert late.reference not in finding.seen


def test_after_a_backup_was_restored_somebody_has_to_look_which_is_said_once(merchant):
    now = clock.now()
    Restoration.objects.create(backed_up_at=now, ran_until=now)
    restoration.forget()
    held = list(doctor.recurring())
    restoration.release()
    released = list(doctor.recurring())

    assert [(finding.verdict, "release-charges" in finding.fix) for finding in held] == [("look at it", True)]
    assert [finding.verdict for finding in released] == ["ok"]
