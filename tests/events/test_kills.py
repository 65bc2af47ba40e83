"""O-05: the sender dies at every point between its statements; nothing is lost, and each copy is the same."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from tillgate.common.jobs.times import real_now
from tillgate.events.models import Delivery, Endpoint, OutboxEvent
from tillgate.events.services.sending import send_due

MOST_STEPS = 40


class Killed(BaseException):
    """Nothing in the product stops it, and what is open is rolled back: as SIGKILL does."""


def killed_at(step: int) -> bool:
    """Let a sender work until it dies before that statement; False when it was done by then."""
    left = step

    def count(execute: Callable[..., Any], *args: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed
        return execute(*args)

    try:
        with connection.execute_wrapper(count):
            send_due()
    except Killed:
        return True
    return False


@pytest.mark.django_db(transaction=True)
def test_o05_killed_at_any_point_each_event_arrives_and_all_its_copies_are_alike(farm, pay):
    receiver, _ = farm()
    steps = 0
    while True:
        steps += 1
        assert steps < MOST_STEPS
        receiver.received.clear()
        Delivery.objects.all().delete()
        OutboxEvent.objects.all().delete()
        for _ in range(2):
            pay()
        was_killed = killed_at(steps)
        Endpoint.objects.filter(lane_until__isnull=False).update(lane_until=real_now() - timedelta(seconds=1))
        send_due()

        bodies = {event.reference: event.body.encode() for event in OutboxEvent.objects.all()}
        assert set(receiver.ids) == set(bodies)
        assert all(one.body == bodies[one.id] for one in receiver.received)
        assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
        if not was_killed:
            break
    assert steps > 6
