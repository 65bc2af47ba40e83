"""What the worker does for customers."""

from tillgate.common.jobs import task
from tillgate.customers.services import forgetting


@task(max_attempts=100, backoff_s=(10, 60, 300, 900, 3600))
def forget_method(method_id: int, erase: bool = False) -> None:
    """Tell its gateway that a method was removed; then, where its owner is gone, keep nothing of it."""
    forgetting.forget_at_gateway(method_id, erase=erase)
