"""`manage.py worker`: runs jobs and sends events until SIGTERM or SIGINT."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand
from django.utils.module_loading import autodiscover_modules

from tillgate.common.jobs.worker import Worker
from tillgate.events.services.lanes import Sender


class Command(BaseCommand):
    help = "Run jobs and send events until SIGTERM or SIGINT; then finish what runs, and give the rest back."
    requires_system_checks = [Tags.security]  # The others would load every door.

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--threads", type=int, default=12, help="jobs at a time (default: 12)")

    def handle(self, *, threads: int, **options: Any) -> None:
        autodiscover_modules("jobs")  # Periodic tasks register when their module is imported.
        worker, sender = Worker(threads=threads), Sender()

        def stop(*_: object) -> None:
            worker.stop()
            sender.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        sending = threading.Thread(target=sender.run, name="sender")
        sending.start()
        self.stdout.write(f"Worker ready: {threads} threads.")
        self.stdout.flush()
        worker.run()
        sending.join()
