"""What gateways sent us, as it came."""

from django.db import models

from tillgate.gateways.protocol import EventSubject
from tillgate.merchants.models import Merchant

_SUBJECTS = [(subject.value, subject.value) for subject in EventSubject]


class InboundEvent(models.Model):
    """A signed event of a gateway: raw bytes and headers, stored before it is answered.

    `merchant` is whose account has signed it; about anybody else's money it says nothing.
    """

    class State(models.TextChoices):
        STORED = "stored"
        APPLIED = "applied"
        PARKED = "parked"  # About nothing of ours; a person can see why.
        KEPT = "kept"  # Of a plan that the gateway itself collects: shown by `./run plan-events`.

    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="+", db_index=False)
    gateway = models.CharField(max_length=20)
    mode = models.CharField(max_length=4)
    dedupe_key = models.CharField(max_length=200)
    kind = models.CharField(max_length=80)
    gateway_reference = models.CharField(max_length=120, blank=True)
    gateway_id = models.CharField(max_length=60, blank=True)
    claims_money = models.BooleanField(default=False)
    about = models.CharField(max_length=8, choices=_SUBJECTS, default=EventSubject.PAYMENT.value)
    headers = models.JSONField()
    body = models.BinaryField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.STORED)
    reason = models.CharField(max_length=200, blank=True)
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "gateway", "mode", "dedupe_key"], name="inbound_event_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.kind}"
