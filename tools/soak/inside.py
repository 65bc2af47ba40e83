"""What the soak does inside the product, in a process of its own that lives as long as the run.

Each line that it reads is a JSON list, a word and what belongs to it; each line that it prints is the answer.
"""

import json
import sys
from collections.abc import Callable
from datetime import timedelta

import django

django.setup()

from django.conf import settings  # noqa: E402  # Django first.
from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from django.db.models import Count, F, Max  # noqa: E402

from tillgate.common import clock  # noqa: E402
from tillgate.common.jobs.models import Job, JobStatus  # noqa: E402
from tillgate.common.jobs.times import real_now  # noqa: E402
from tillgate.merchants.services.merchants import ensure_default_merchant  # noqa: E402
from tillgate.payments.models import Attempt, Payment, Surplus  # noqa: E402
from tillgate.payments.services.verify import violations  # noqa: E402
from tillgate.subscriptions.models import Cycle, Subscription  # noqa: E402
from tools.bench.subscriptions import save_methods, subscribe  # noqa: E402


def tables() -> str:
    """Make the tables; return the key with which the sandbox is called."""
    call_command("migrate", verbosity=0)
    ensure_default_merchant(name="My shop")
    return str(settings.PAYSTACK_SECRET_KEY)


def store(count: int, cards: list[tuple[str, str]]) -> int:
    """Store so many subscriptions, all due in this minute, over the cards that the sandbox has saved."""
    merchant = ensure_default_merchant(name="My shop")
    with transaction.atomic():
        return len(subscribe(save_methods(merchant, cards), count, clock.now()))


def state(hurry: bool) -> dict[str, object]:
    """Tell what is done, and whether anything is going on. `hurry`: jobs whose worker was killed are free
    now instead of when their lease ends."""
    jobs = Job.objects.exclude(keeps_key=True)
    running = jobs.filter(status=JobStatus.RUNNING)
    due = jobs.filter(status=JobStatus.QUEUED, run_at__lte=clock.now())
    if hurry:
        running.update(lease_until=real_now())
    return {
        "subscriptions": Subscription.objects.count(),
        "paid": Cycle.objects.filter(status="paid").count(),
        "attempts": dict(Attempt.objects.values_list("status").annotate(Count("pk"))),
        "running": running.count(),
        "due": due.count() + Cycle.objects.filter(next_try_at__lte=clock.now()).count(),
        "unopened": Subscription.objects.due(clock.now()).count(),
    }


def advance(seconds: int) -> float:
    """Move the product's clock."""
    return clock.advance(seconds).total_seconds()


def verdict() -> dict[str, object]:
    """Tell what the product itself has to say when all is over."""
    paid = Payment.objects.filter(completed_at__isnull=False, cycle__isnull=False)
    waits = paid.annotate(waited=F("completed_at") - F("cycle__due_at"))
    longest: timedelta | None = waits.aggregate(longest=Max("waited"))["longest"]
    return {
        "references": list(Subscription.objects.values_list("reference", flat=True)),
        "sent_again": Attempt.objects.filter(sent_again_at__isnull=False).count(),
        "longest_s": longest.total_seconds() if longest else 0,
        "surplus": Surplus.objects.count(),
        "dead_jobs": Job.objects.filter(status=JobStatus.DEAD).count(),
        "violations": list(violations()),
    }


ANSWERS: dict[str, Callable[..., object]] = {
    "tables": tables,
    "store": store,
    "state": state,
    "advance": advance,
    "verdict": verdict,
}


def main() -> None:
    """Answer until the input ends."""
    for line in sys.stdin:
        word, *rest = json.loads(line)
        print(json.dumps(ANSWERS[word](*rest)), flush=True)


if __name__ == "__main__":
    main()
