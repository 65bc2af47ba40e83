"""Who subscribes to what, as this process knows it: a statement every few seconds, and none a request.

So an endpoint that is new, or wants more, is not known everywhere at once. What is missed until then is
told afterwards, from the timelines (`gaps`); what is told to one that wants no more is dropped.
"""

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from tillgate.events.models import Endpoint
from tillgate.events.types import chosen_types

REREAD_S = 3.0


@dataclass(frozen=True, kw_only=True)
class Listener:
    """An endpoint and what it wants. For a disabled one events are written, so that it can catch up."""

    endpoint_id: int
    enabled: bool
    types: frozenset[str]


Known = Mapping[tuple[int, str], list[Listener]]
_known: tuple[float, Known] | None = None


def listeners_to(merchant_id: int, mode: str, type: str) -> list[Listener]:
    """Return the endpoints of a merchant, in a mode, that want to be told of such events."""
    return [one for one in _all().get((merchant_id, mode), ()) if type in one.types]


def forget_listeners() -> None:
    """Read them anew at the next call."""
    global _known
    _known = None


def _all() -> Known:
    global _known
    if _known is None or time.monotonic() - _known[0] > REREAD_S:
        _known = (time.monotonic(), _read())
    return _known[1]


def _read() -> Known:
    found: dict[tuple[int, str], list[Listener]] = defaultdict(list)
    rows = Endpoint.objects.filter(deleted_at__isnull=True).order_by("pk")
    for pk, merchant_id, mode, enabled, events in rows.values_list(
        "pk", "merchant_id", "mode", "enabled", "events"
    ):
        listener = Listener(endpoint_id=pk, enabled=enabled, types=chosen_types(events))
        found[merchant_id, mode].append(listener)
    return dict(found)
