"""`./run trigger`, and an endpoint that hears of it: a product of its own, real processes, real HTTP."""

import json
import time
import urllib.request

import pytest

from launcher.demo import _private_product
from launcher.trigger import EVENTS, Trigger
from tests.events.farm import running
from tillgate.events.types import TYPES


def test_what_can_be_triggered_are_types_of_events():
    assert set(EVENTS) <= set(TYPES)


@pytest.mark.slow
@pytest.mark.journey
def test_what_is_triggered_happens_and_is_heard_of_within_a_moment():
    with running() as receiver, _private_product() as (installation, env):
        stage = Trigger(installation.url, installation.sandbox_url, env)
        key = stage.manage("create_key").split()[-1]
        request = urllib.request.Request(
            f"{installation.url}/api/v1/webhook-endpoints",
            json.dumps({"url": receiver.url, "events": ["payment.completed", "payment.failed"]}).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert json.load(answer)["webhook_endpoint"]["secret"]

        failed = stage.make("payment.failed", "paystack")
        paid = stage.make("payment.completed", "flutterwave")
        heard = _heard(receiver, 2)

    # What was triggered before every process knew of the endpoint is told some seconds later.
    assert set(heard) == {("payment.failed", failed), ("payment.completed", paid)}


def _heard(receiver, count):

    deadline = time.monotonic() + 40
    while len(receiver.received) < count and time.monotonic() < deadline:
        time.sleep(0.1)
    bodies = [json.loads(one.body) for one in receiver.received]
    return [(body["type"], body["data"]["id"]) for body in bodies]
