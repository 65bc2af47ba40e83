"""Tables that belong to no part of the business."""

from django.db import models

from tillgate.common.jobs.models import Job

__all__ = ["ClockOffset", "Job", "Restoration"]


class ClockOffset(models.Model):
    """How far `local`'s clock was moved; one row, absent until somebody moves it."""

    offset_s = models.BigIntegerField(default=0)


class Restoration(models.Model):
    """A backup was restored: what happened since it was made is not known here, but at the gateways.

    `ran_until`: when the installation that was lost can have charged last; until somebody says better, when
    the backup was restored. While `released_at` is empty nothing is charged without the customer.
    """

    backed_up_at = models.DateTimeField()
    ran_until = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
