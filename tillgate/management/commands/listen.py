"""`./run listen --forward-to URL`: a developer's own machine hears what happens in test mode."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from tillgate.events.addresses import BadAddress
from tillgate.events.models import Delivery, Endpoint
from tillgate.events.services.endpoints import NewEndpoint, create_endpoint, delete_endpoint, reach
from tillgate.events.services.listeners import REREAD_S
from tillgate.events.signing import is_secret
from tillgate.events.types import ALL
from tillgate.merchants.services.merchants import default_merchant

LISTENING = "./run listen"
LOOK_EVERY_S = 0.2


class Command(BaseCommand):
    help = "Send the events of test mode to an address of this machine, and print them, until Ctrl-C."
    stopping: threading.Event

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--forward-to", required=True, help="http://127.0.0.1:3000/hooks")
        parser.add_argument("--events", nargs="+", default=[ALL], help="payment.completed, payment.*; all")
        parser.add_argument("--secret", default="", help="whsec_…; a new one, where it is left out")

    def handle(self, *args: Any, forward_to: str, events: list[str], secret: str, **options: Any) -> None:
        endpoint = self._listen(forward_to, events, secret)
        self.stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        try:
            self.stopping.wait(REREAD_S)  # By then every process knows of it.
            self._say(f"Ready: what happens now is sent to {forward_to}. Ctrl-C ends it.")
            self._print(endpoint)
        finally:
            delete_endpoint(endpoint.pk)

    def _listen(self, url: str, events: list[str], secret: str) -> Endpoint:
        if not settings.IS_LOCAL:
            raise CommandError("This is for a developer's machine. Add an endpoint by the API instead.")
        if secret and not is_secret(secret):
            raise CommandError("A secret is whsec_ and 24 to 64 bytes in base64.")
        try:
            reach(url)
        except BadAddress as error:
            raise CommandError(f"{url}: {error}") from None
        merchant = default_merchant()
        own = Endpoint.objects.for_merchant(merchant, "test")
        for left_over in own.filter(description=LISTENING, url=url):  # Of one that was killed.
            delete_endpoint(left_over.pk)
        new = NewEndpoint(
            merchant=merchant,
            mode="test",
            url=url,
            description=LISTENING,
            events=events,
            added_by="./run listen",
            secret=secret,
        )
        endpoint, made = create_endpoint(new)
        self._say(f"Secret: {made}")
        return endpoint

    def _print(self, endpoint: Endpoint) -> None:
        """Print each try, once it was made."""
        printed: dict[int, int] = {}
        while not self.stopping.wait(LOOK_EVERY_S):
            tried = Delivery.objects.filter(endpoint=endpoint, tries__gt=0).select_related("event")
            for delivery in tried.order_by("last_try_at", "pk"):
                if printed.get(delivery.pk) != delivery.tries:
                    printed[delivery.pk] = delivery.tries
                    self._say(self._line(delivery))

    def _line(self, delivery: Delivery) -> str:
        event = delivery.event
        came = delivery.last_status or delivery.last_error
        again = f", again at {delivery.next_try_at:%H:%M:%S}" if delivery.next_try_at else ""
        return f"{delivery.last_try_at:%H:%M:%S}  {event.type:<24} {event.subject}  -> {came}{again}"

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
