"""What the bench does inside the product, in a process of its own: `python -m tools.bench.inside WORD [N]`.

The last line it prints is its answer, as JSON.
"""

import hashlib
import hmac
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict

import django

django.setup()

from django.conf import settings  # noqa: E402  # Django first.
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402

from tests.builders import make_attempt, make_payment, make_snapshot  # noqa: E402
from tillgate.common import clock  # noqa: E402
from tillgate.common.jobs.models import Job  # noqa: E402
from tillgate.merchants.models import GatewayHealth  # noqa: E402
from tillgate.merchants.services.keys import create_api_key  # noqa: E402
from tillgate.merchants.services.merchants import default_merchant, ensure_default_merchant  # noqa: E402
from tillgate.payments.models import Attempt, Payment  # noqa: E402
from tillgate.payments.services.sync import apply_answer  # noqa: E402
from tillgate.subscriptions.jobs import open_cycles  # noqa: E402
from tillgate.subscriptions.models import Cycle  # noqa: E402
from tillgate.subscriptions.states import CycleStatus  # noqa: E402
from tools.bench.events import send_inside  # noqa: E402
from tools.bench.rows import fill, pgbench_script  # noqa: E402
from tools.bench.statements import capture  # noqa: E402
from tools.bench.subscriptions import save_methods, subscribe  # noqa: E402

ORDER = {"customer_name": "John Doe", "customer_email": "john@example.com", "amount": 50.00}
OPEN_PAYMENTS = 200
LOOK_EVERY_S = 0.5


def prepare(rows: int) -> dict[str, object]:
    """Make tables, merchant, key and `rows` payments; return what the load is aimed at."""
    call_command("migrate", verbosity=0)
    merchant = ensure_default_merchant(name="My shop")
    assert merchant.pk == 1, "the comparison writes for merchant 1"
    fill(merchant.pk, rows)
    newest = Payment.objects.newest_first()
    return {
        "key": create_api_key(merchant, "test"),
        "deep": newest[rows * 9 // 10].reference,
        "open": list(newest.filter(status="pending").values_list("reference", flat=True)[:OPEN_PAYMENTS]),
        "insert": pgbench_script(merchant.pk),
        "version": ".".join(map(str, connection.get_database_version())),
    }


def statements() -> dict[str, dict[str, int]]:
    """Count what each hot path sends to the database, once it is warm."""
    counted = {}
    for _ in range(2):  # The first round fills what a process remembers: the merchant, the clock's offset.
        counted = {name: asdict(capture(work)) for name, work in _works().items()}
    return counted


def settles(count: int) -> float:
    """Return how many payments a second one thread settles by the worker's own function."""
    works = [_settle() for _ in range(count)]
    began = time.perf_counter()
    for work in works:
        work()
    assert Payment.objects.filter(status="completed", gateway="paystack").count() >= count
    return count / (time.perf_counter() - began)


def quiet() -> None:
    """Forget the jobs that were queued while no worker ran."""
    Job.objects.all().delete()


def renew(count: int, within_s: int) -> int:
    """Make so many subscriptions due in one moment, and return when all is done that follows of it."""
    merchant, paid = default_merchant(), _paid_cycles()
    GatewayHealth.objects.all().delete()  # A gateway that hung before is another one now.
    with transaction.atomic():  # The workers find all of them at once.
        cards = [(f"{paid + number}@example.com", f"AUTH_{number}") for number in range(count)]
        subscribe(save_methods(merchant, cards), count, clock.now())
        open_cycles.enqueue()  # Now, and not at the next of its times.
    deadline = time.monotonic() + within_s
    while Job.objects.exclude(keeps_key=True).exists() or _paid_cycles() < paid + count:
        assert time.monotonic() < deadline, f"{_paid_cycles() - paid} of {count} were paid in {within_s} s"
        time.sleep(LOOK_EVERY_S)
    return count


def _paid_cycles() -> int:
    return Cycle.objects.filter(status=CycleStatus.PAID).count()


def _works() -> dict[str, Callable[[], object]]:
    client = Client(headers={"host": "127.0.0.1"})
    payment = make_payment(default_merchant())
    attempt = make_attempt(payment)
    data = {"id": 4_000_000_000 + attempt.pk, "reference": attempt.reference, "status": "success"}
    body = json.dumps({"event": "charge.success", "data": data})
    signature = hmac.new(settings.PAYSTACK_SECRET_KEY.encode(), body.encode(), hashlib.sha512).hexdigest()
    created, url = "application/json", "/api/v1/payments"
    return {
        "POST payments": lambda: _answered(201, client.post(url, ORDER, created)),
        "GET payment": lambda: _answered(200, client.get(f"{url}/{payment.reference}")),
        "settle": _settle(),
        "webhook": lambda: _answered(
            200,
            client.post(
                "/api/v1/webhooks/paystack", body, created, headers={"x-paystack-signature": signature}
            ),
        ),
    }


def _answered(status: int, response: object) -> None:
    found = getattr(response, "status_code", None)
    assert found == status, f"{found} instead of {status}"


def _settle() -> Callable[[], None]:
    made = make_attempt(make_payment(default_merchant()))
    snapshot = make_snapshot(made)
    attempt = Attempt.objects.select_related("payment__merchant").get(pk=made.pk)
    return lambda: apply_answer(attempt, snapshot)


def main(words: list[str]) -> None:
    """Do what the first word says and print the answer."""
    number = int(words[1]) if len(words) > 1 else 0
    answers: dict[str, Callable[[], object]] = {
        "prepare": lambda: prepare(number),
        "statements": statements,
        "settles": lambda: settles(number),
        "quiet": quiet,
        "renew": lambda: renew(number, int(words[2])),
        "events": lambda: send_inside(number, int(words[2])),
    }
    print(json.dumps(answers[words[0]]()))


if __name__ == "__main__":
    main(sys.argv[1:])
