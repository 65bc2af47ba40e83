"""The engine's two clocks: due dates follow the product's, leases follow the real one.

`local`'s clock is moved by days at a time; a lease on it would end under a job that is still running.
"""

from datetime import UTC, datetime


def product_now() -> datetime:
    """Return the time that `run_at` and the slots of periodic tasks follow."""
    from tillgate.common.clock import now  # The clock reads a table whose module imports this package.

    return now()


def real_now() -> datetime:
    """Return the system's time, which nobody moves: for leases and records."""
    return datetime.now(UTC)
