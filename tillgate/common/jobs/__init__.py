"""Work that outlives the request: rows in one table, run by `manage.py worker`.

Product code imports from here only; `task` has the words of Django 6's own `django.tasks`.
"""

from tillgate.common.jobs.backend import Call, enqueue_all
from tillgate.common.jobs.periodic import periodic
from tillgate.common.jobs.queue import dead_jobs, make_due, revive
from tillgate.common.jobs.tasks import JobTask, task
from tillgate.common.jobs.worker import run_due_jobs

__all__ = [
    "Call",
    "JobTask",
    "dead_jobs",
    "enqueue_all",
    "make_due",
    "periodic",
    "revive",
    "run_due_jobs",
    "task",
]
