"""Subscriptions that a gateway collects itself, and what its next calls do."""

from dataclasses import replace
from datetime import timedelta

from tests.fakes import FakeGateway
from tillgate.common import clock
from tillgate.gateways.plans import PlanSubscription
from tillgate.gateways.protocol import SavedMethod
from tillgate.money import Money
from tillgate.subscriptions.models import Subscription

CARD = SavedMethod(token="AUTH_1", kind="card", brand="visa", last4="4081", expires_month="2030-09")


class Killed(BaseException):
    """The process is gone: nothing catches it."""


class Shelf:
    """The gateway's own subscriptions. `killed_after` is the number of the call that is the last one."""

    def __init__(self) -> None:
        self.plans: dict[str, PlanSubscription] = {}
        self.calls: list[str] = []
        self.killed_after = 0
        self.deaf = False  # It accepts to stop, and does not.

    def put(self, **changes):
        plan = PlanSubscription(
            gateway_id=f"SUB_{len(self.plans)}",
            customer_email="ada@example.com",
            customer_name="Ada",
            amount=Money(500_000, "NGN"),
            words="monthly",
            interval="monthly",
            interval_count=1,
            status="active",
            is_stopped=False,
            next_payment_at=clock.now() + timedelta(days=10),
            saved_method=CARD,
        )
        plan = replace(plan, **changes)
        self.plans[plan.gateway_id] = plan
        return plan

    def change(self, gateway_id, **changes):
        self.plans[gateway_id] = replace(self.plans[gateway_id], **changes)

    def stop(self, gateway_id):
        if not self.deaf:
            self.change(gateway_id, status="non-renewing", is_stopped=True)

    def count(self, name):
        for gateway_id in self.plans:  # At no moment both collect.
            ours = Subscription.objects.filter(imported_from=f"paystack:{gateway_id}", status="active")
            is_collected = ours.exists()
            # Looked at after ours: in a race the gateway's may be stopped, and ours go on, in between.
            assert not is_collected or self.plans[gateway_id].is_stopped
        self.calls.append(name)
        if len(self.calls) == self.killed_after:
            raise Killed


class ShelfGateway(FakeGateway):
    shelf: Shelf

    def list_plan_subscriptions(self):
        self.shelf.count("list")
        return tuple(self.shelf.plans.values())

    def fetch_plan_subscription(self, gateway_id):
        plan = self.shelf.plans[gateway_id]
        self.shelf.count("fetch")
        return plan

    def stop_plan_subscription(self, gateway_id):
        self.shelf.stop(gateway_id)
        self.shelf.count("stop")
