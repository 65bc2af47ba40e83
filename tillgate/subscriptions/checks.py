"""System checks of what only recurring payments read."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from tillgate.subscriptions.dunning import retry_days


@register(Tags.security)
def check_retry_days(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Hold the days on which declined charges are tried again against what they must be."""
    try:
        retry_days(settings.TILLGATE_RETRY_DAYS)
    except ValueError as error:
        hint = "Set it to at most ten whole days after the first decline, from 1 to 60, such as 1,3,5,7."
        message = f"TILLGATE_RETRY_DAYS is {settings.TILLGATE_RETRY_DAYS!r}: {error}."
        return [Error(message, hint=hint, id="tillgate.E019")]
    return []
