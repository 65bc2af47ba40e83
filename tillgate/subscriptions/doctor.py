"""Whether recurring payments are collected."""

from collections.abc import Iterator

from tillgate.common.doctor import Finding, examination, look, waiting
from tillgate.common.restoration import is_holding
from tillgate.subscriptions.services import audit


@examination("money", within_s=10)
def recurring() -> Iterator[Finding]:
    """What the scheduler should have done, and has not."""
    if is_holding():
        seen = "A backup was restored: nothing is charged without the customer until somebody has looked."
        yield look(seen, "Look as docs/operate.md says, then ./run release-charges.")
        return  # It is all that waits till then.
    yield from waiting(audit.waiting_for_a_person(), of="recurring payments")
