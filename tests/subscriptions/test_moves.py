"""Every pair of the two tables, and the lock that a move needs."""

import itertools

import pytest
from django.db import IntegrityError, transaction

from tests.builders import make_cycle, make_subscription
from tillgate.events.models import Event
from tillgate.subscriptions.errors import NotPossible
from tillgate.subscriptions.models import Cycle
from tillgate.subscriptions.services.moves import lock_subscription, move_cycle, move_subscription
from tillgate.subscriptions.states import CYCLE_MOVES, SUBSCRIPTION_MOVES, CycleStatus, SubscriptionStatus


@pytest.mark.parametrize(("before", "to"), list(itertools.product(SubscriptionStatus, repeat=2)))
def test_a_subscription_moves_by_the_table_alone(merchant, before, to):
    row = make_subscription(merchant, status=before, next_opens_at=None)
    with transaction.atomic():
        subscription = lock_subscription(row.pk)
        if to in SUBSCRIPTION_MOVES.get(before, frozenset()):
            move_subscription(subscription, to, "subscription.moved")
        else:
            with pytest.raises(NotPossible):
                move_subscription(subscription, to, "subscription.moved")

    row.refresh_from_db()
    moved = row.status == to and before != to
    assert moved == (to in SUBSCRIPTION_MOVES.get(before, frozenset()))
    assert Event.objects.filter(subject=row.reference).count() == int(moved)


@pytest.mark.parametrize(("before", "to"), list(itertools.product(CycleStatus, repeat=2)))
def test_a_cycle_moves_by_the_table_alone(merchant, before, to):
    cycle = make_cycle(make_subscription(merchant), status=before)

    moved = move_cycle(cycle, to)

    assert moved == (to in CYCLE_MOVES.get(before, frozenset()))
    assert Cycle.objects.get(pk=cycle.pk).status == (to if moved else before)


def test_a_cycle_is_one_in_the_database_whatever_the_code_does(merchant):
    cycle = make_cycle(make_subscription(merchant), index=1)

    with pytest.raises(IntegrityError), transaction.atomic():
        make_cycle(cycle.subscription, index=1)


def test_a_payment_collects_one_cycle_in_the_database(merchant):
    cycle = make_cycle(make_subscription(merchant), index=1)

    with pytest.raises(IntegrityError), transaction.atomic():
        make_cycle(cycle.subscription, index=2, payment=cycle.payment)


@pytest.mark.django_db(transaction=True)
def test_a_lock_lives_in_a_transaction(merchant):
    row = make_subscription(merchant)

    with pytest.raises(AssertionError):
        lock_subscription(row.pk)
