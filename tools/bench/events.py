"""Events on their way out, by the sender that every worker runs, to a receiver in a process of its own."""

import os
import threading
import time
from dataclasses import dataclass
from typing import Any

from launcher.processes import Group
from launcher.product import free_ports, is_free
from tools.bench.stand import NotMeasured, Stand

READY_WITHIN_S = 30
DONE_WITHIN_S = 300
LOOK_EVERY_S = 0.02
WRITTEN_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class Sent:
    """Events a second, and the CPU that one of them costs the sender's process."""

    per_s: float
    cpu_ms: float


def send(stand: Stand, url: str, count: int) -> Sent:
    """Let so many events, each of another payment, be sent to one endpoint. Raises NotMeasured."""
    group, port = Group(stand.output), free_ports(1)[0]
    try:
        group.start("receiver", ["-m", "tools.bench.receiver", str(port)], os.environ)
        deadline = time.monotonic() + READY_WITHIN_S
        while is_free(port):
            if time.monotonic() > deadline:
                raise NotMeasured("the receiver does not start")
            time.sleep(LOOK_EVERY_S)
        return Sent(**stand.inside(url, "events", str(count), str(port)))
    finally:
        group.force = True
        group.stop()


def send_inside(count: int, port: int) -> dict[str, float]:
    """Write the events, then measure how they are sent; in the process of `tools.bench.inside`."""
    from tillgate.events.models import Delivery, Endpoint
    from tillgate.events.services.endpoints import NewEndpoint, create_endpoint, delete_endpoint
    from tillgate.events.services.lanes import Sender
    from tillgate.merchants.services.merchants import default_merchant

    url = f"http://127.0.0.1:{port}/hooks"
    endpoint, _ = create_endpoint(NewEndpoint(merchant=default_merchant(), mode="test", url=url))
    _write(endpoint, count)
    sender = Sender()
    thread = threading.Thread(target=sender.run)
    began, cpu_began = time.perf_counter(), time.process_time()
    thread.start()
    waiting = Delivery.objects.filter(endpoint=endpoint, next_try_at__isnull=False)
    while waiting.exists():
        assert time.perf_counter() - began < DONE_WITHIN_S, f"{waiting.count()} of {count} were not sent"
        time.sleep(LOOK_EVERY_S)
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu_began
    sender.stop()
    thread.join()
    assert Delivery.objects.filter(endpoint=endpoint, state="delivered").count() == count
    assert Endpoint.objects.get(pk=endpoint.pk).sends == count, "each was sent once"
    delete_endpoint(endpoint.pk)
    return {"per_s": count / seconds, "cpu_ms": cpu_s * 1000 / count}


def _write(endpoint: Any, count: int) -> None:
    from tests.builders import make_payment
    from tillgate.common import clock
    from tillgate.common.references import new_reference
    from tillgate.events.models import Delivery, OutboxEvent
    from tillgate.events.services.outbox import new_event
    from tillgate.merchants.services.merchants import default_merchant

    payment = make_payment(default_merchant())
    for start in range(0, count, WRITTEN_AT_ONCE):
        events = []
        for _ in range(start, min(start + WRITTEN_AT_ONCE, count)):
            payment.reference = new_reference("PAY")
            events.append(new_event(payment, "payment.completed", sequence=3, at=clock.now()))
        OutboxEvent.objects.bulk_create(events)
        now = clock.now()
        Delivery.objects.bulk_create(
            [Delivery(event=event, endpoint=endpoint, next_try_at=now) for event in events]
        )
