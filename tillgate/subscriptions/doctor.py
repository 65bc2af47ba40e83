"""Whether recurring payments are collected."""

from collections.abc import Iterator

from tillgate.common.doctor import Finding, examination, waiting
from tillgate.subscriptions.services import audit


@examination("money", within_s=10)
def recurring() -> Iterator[Finding]:
    """What the scheduler should have done, and has not."""
    yield from waiting(audit.waiting_for_a_person(), of="recurring payments")
