"""What the worker does for recurring payments. Each job calls one service, and may run twice or late."""

from tillgate.common import restoration
from tillgate.common.jobs import periodic, task
from tillgate.payments.services import sync
from tillgate.subscriptions.services import charge, cycles, follow, mails, notices

FOLLOWED = (
    "payment.completed",
    "payment.failed",
    "payment.expired",
    "payment.canceled",
    "payment.refunded",
    "payment.method_saved",
)


@task(max_attempts=1_000_000, backoff_s=(5, 15, 60, 300, 3600))
def follow_payment(payment_reference: str) -> None:
    """Let a subscription follow what became of one of its payments."""
    follow.follow_payment(payment_reference)


@task(max_attempts=1_000_000, backoff_s=(5, 15, 60, 300, 3600))
def charge_cycle(cycle_id: int, number: int) -> None:
    """Make try `number` of a cycle."""
    charge.charge_cycle(cycle_id, number)


@task(max_attempts=20, backoff_s=(60, 600, 3600))
def remind_customer(cycle_id: int) -> None:
    """Remind a customer of a cycle that only they can pay."""
    follow.remind(cycle_id)


@task(max_attempts=5, backoff_s=(60, 600))
def look_for_method(attempt_id: int) -> None:
    """Ask once more about a payment that has come in: by what it was paid."""
    sync.ask(attempt_id)


@task(max_attempts=30, backoff_s=(10, 60, 300, 900, 3600))
def send_mail(subscription_id: int, mail: str, cycle_id: int | None) -> None:
    """Send one mail to a customer."""
    mails.send(subscription_id, mail, cycle_id)


@periodic(every_s=5)
@task(max_attempts=20, backoff_s=(5,))
def open_cycles() -> None:
    """Open the cycles that are due, and queue the tries whose time has come; nothing after a restoration."""
    if restoration.is_holding():
        return
    cycles.open_due()
    charge.queue_due_tries()


@task(max_attempts=3, backoff_s=(60,))
def send_lost_charge_again(attempt_id: int) -> None:
    """Send a charge again whose answer was lost."""
    charge.send_again(attempt_id)


@periodic(every_s=60)
@task(max_attempts=3, backoff_s=(5,))
def look_for_lost_charges() -> None:
    """Queue the lost charges that can be sent again without taking money twice."""
    charge.queue_lost()


@periodic(every_s=86_400)
@task(max_attempts=3, backoff_s=(600,))
def tell_of_expiring_methods() -> None:
    """Tell customers whose card expires in 30 or 7 days."""
    notices.tell_of_expiring_methods()
