"""How often callers without a key may call, per address.

Counted in this process (each of the web processes admits its share), by the time at which an
address would have used up its allowance: one number an address, no window to race at.
"""

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest

from tillgate.common.errors import TooMany

MAX_ADDRESSES = 50_000


@dataclass(frozen=True, kw_only=True)
class Policy:
    """So many calls in so many seconds, of one kind, from one address."""

    name: str
    calls: int
    window_s: int


CREATE = Policy(name="guest-create", calls=60, window_s=60)
ATTEMPT = Policy(name="guest-attempt", calls=60, window_s=60)
READ = Policy(name="guest-read", calls=600, window_s=60)

_lock = threading.Lock()
_used_up_at: OrderedDict[tuple[str, str], float] = OrderedDict()


def admit(request: HttpRequest, policy: Policy) -> dict[str, str]:
    """Count a call; return the headers that tell the caller where it stands.

    Raises TooMany when the address has no call left. Loopback is free: a shop's own server.
    """
    address = client_address(request)
    if settings.TILLGATE_THROTTLES == "off" or address is None or address.is_loopback:
        return {}
    share = max(1, policy.calls // settings.TILLGATE_WEB_PROCESSES)
    remaining, wait_s = _take((policy.name, _network(address)), share, policy.window_s)
    headers = {
        "RateLimit-Policy": f'"{policy.name}";q={policy.calls};w={policy.window_s}',
        "RateLimit": f'"{policy.name}";r={max(0, remaining)};t={wait_s}',
    }
    if remaining < 0:
        raise TooMany(
            f"Too many requests from this address. Come back in {wait_s} s, or use a key.",
            headers={**headers, "Retry-After": str(wait_s)},
        )
    return headers


def forget_all() -> None:
    """Forget every count."""
    with _lock:
        _used_up_at.clear()


def client_address(request: HttpRequest) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address of the client: the socket's, or what the outermost trusted proxy saw.

    Each trusted proxy appends one entry to X-Forwarded-For; whatever stands before those was
    written by the client and says nothing.
    """
    text = request.META.get("REMOTE_ADDR", "")
    if proxies := settings.TILLGATE_TRUSTED_PROXIES:
        parts = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        seen = [part.strip() for part in parts if part.strip()]
        text = seen[-proxies] if len(seen) >= proxies else text
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None if not text else ipaddress.ip_address("0.0.0.0")  # noqa: S104  # One bucket for the unreadable.
    return getattr(address, "ipv4_mapped", None) or address


def _network(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    # A household has a whole /64 of IPv6 addresses.
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


def _take(key: tuple[str, str], calls: int, window_s: int) -> tuple[int, int]:
    """Take one of `calls`; return how many are left (-1: none was) and the seconds until one is free."""
    cost = window_s / calls
    now = time.monotonic()
    with _lock:
        used_up_at = max(_used_up_at.get(key, now), now) + cost
        # Half a call of tolerance: sums of fractions are not exact, and refuse no last call for that.
        if used_up_at - now > window_s + cost / 2:
            return -1, math.ceil(used_up_at - now - window_s)
        _used_up_at[key] = used_up_at
        _used_up_at.move_to_end(key)
        while len(_used_up_at) > MAX_ADDRESSES:
            _used_up_at.popitem(last=False)
    return int((window_s - (used_up_at - now)) / cost), max(1, round(used_up_at - now))
