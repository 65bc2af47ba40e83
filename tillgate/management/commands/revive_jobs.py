"""`./run revive-jobs`: try again what was given up, when its cause is mended."""

from typing import Any

from django.core.management.base import BaseCommand

from tillgate.common.jobs import revive
from tillgate.common.jobs.models import Job, JobStatus


class Command(BaseCommand):
    help = "Queue every dead job again, with all its tries before it."

    def handle(self, *args: Any, **options: Any) -> None:
        dead = list(Job.objects.filter(status=JobStatus.DEAD).values_list("pk", flat=True))
        self.stdout.write(f"{sum(revive(pk) for pk in dead)} of {len(dead)} jobs are queued again.")
