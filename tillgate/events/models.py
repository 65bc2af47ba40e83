"""What happened, in order: the timeline of every object, append-only."""

from django.db import models


class Event(models.Model):
    """One thing that happened to one object. The database refuses to change or delete it.

    `subject` is the object's public id; `sequence` counts from 1 per subject. The first line of a
    payment's timeline (`payment.created`, sequence 1) is the payment's row itself and is not stored.
    """

    merchant_id = models.BigIntegerField()
    subject = models.CharField(max_length=40)
    sequence = models.PositiveIntegerField()
    type = models.CharField(max_length=60)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "sequence"], name="event_subject_sequence")]

    def __str__(self) -> str:
        return f"{self.type} {self.subject}"
