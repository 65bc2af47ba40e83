"""How many statements and transactions a piece of work is, from the list of what was really sent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import connection

OPENS, CLOSES = ("BEGIN",), ("COMMIT", "ROLLBACK")
MARKS = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Statements without those that only mark transactions; a statement on its own is one of these too."""

    statements: int
    transactions: int


def capture(work: Callable[[], object]) -> Counted:
    """Do some work and count what it sent to the database."""
    connection.force_debug_cursor = True
    connection.queries_log.clear()
    try:
        work()
        return count([query["sql"] for query in connection.queries_log])
    finally:
        connection.force_debug_cursor = False


def count(sent: Sequence[str | None]) -> Counted:
    """Count what was sent, in its order."""
    statements = transactions = 0
    is_open = False
    for sql in sent:
        words = (sql or "").strip().upper()
        if words.startswith(MARKS):
            continue
        if words.startswith(OPENS):
            is_open, transactions = True, transactions + 1
        elif words.startswith(CLOSES):
            is_open = False
        else:
            statements, transactions = statements + 1, transactions + (not is_open)
    return Counted(statements=statements, transactions=transactions)
