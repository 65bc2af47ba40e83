"""A saved method that something live is charged by stays; any other can be forgotten."""

import pytest

from tests.builders import make_method
from tillgate.common.jobs.models import Job
from tillgate.customers.jobs import forget_method
from tillgate.subscriptions.errors import MethodInUse
from tillgate.subscriptions.services.methods import remove_unused


@pytest.mark.parametrize("status", ["incomplete", "active", "past_due", "paused"])
def test_a_method_in_use_stays_and_the_refusal_names_what_uses_it(monthly, status):
    diary = monthly(status=status, next_opens_at=None)
    method = diary.subscription.payment_method

    with pytest.raises(MethodInUse, match=diary.subscription.reference):
        remove_unused(method.pk)

    method.refresh_from_db()
    assert method.removed_at is None


@pytest.mark.parametrize("status", ["canceled", "completed", "expired"])
def test_a_method_of_what_has_ended_is_removed_and_its_gateway_told(monthly, status):
    method = monthly(status=status, next_opens_at=None).subscription.payment_method

    remove_unused(method.pk)
    remove_unused(method.pk)

    method.refresh_from_db()
    assert method.removed_at is not None
    assert Job.objects.filter(task=forget_method.module_path).count() == 1


def test_a_method_that_nothing_uses_is_removed(merchant):
    method = make_method(merchant)

    remove_unused(method.pk)

    method.refresh_from_db()
    assert method.removed_at is not None
