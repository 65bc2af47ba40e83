"""Tables that belong to no part of the business."""

from django.db import models

from tillgate.common.jobs.models import Job

__all__ = ["ClockOffset", "Job"]


class ClockOffset(models.Model):
    """How far `local`'s clock was moved; one row, absent until somebody moves it."""

    offset_s = models.BigIntegerField(default=0)
