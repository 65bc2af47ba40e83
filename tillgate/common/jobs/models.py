"""The one table of the engine: what is to be done, when, and who is at it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class JobStatus(models.TextChoices):
    """Where a job stands; what succeeded is deleted, but for periodic jobs (`DONE`)."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


class Job(models.Model):
    """One call of a task, from its enqueueing until it succeeded.

    `unique_key` is unique among queued jobs only: an equal job may be queued while one runs, since
    the running one may already have read what has changed since. A periodic job (`keeps_key`)
    holds its key in every status, so that its slot is taken once.
    """

    task = models.CharField(max_length=200)
    args = models.JSONField(default=list)
    kwargs = models.JSONField(default=dict)
    status = models.CharField(max_length=7, choices=JobStatus.choices, default=JobStatus.QUEUED)
    run_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField()
    lease_until = models.DateTimeField(null=True)
    token = models.CharField(max_length=26, default="")
    unique_key = models.CharField(max_length=200, null=True)  # noqa: DJ001  # NULL may repeat, "" may not.
    keeps_key = models.BooleanField(default=False)
    last_error = models.TextField(default="")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "common"
        indexes: ClassVar = [
            models.Index(fields=["status", "run_at", "id"], name="common_job_due"),
            models.Index(
                fields=["lease_until"], condition=Q(lease_until__isnull=False), name="common_job_lease"
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["unique_key"], condition=Q(status="queued"), name="common_job_one_queued_per_key"
            ),
            models.UniqueConstraint(
                fields=["unique_key"], condition=Q(keeps_key=True), name="common_job_one_per_slot"
            ),
        ]
