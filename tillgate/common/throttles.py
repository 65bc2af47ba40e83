"""How often callers without a key may call: per address, e-mail and merchant, all together, and at once.

Counted in this process (each of the web processes admits its share), by the time at which a subject would
have used up its allowance: one number a subject, no window to race at. A request is counted under all of
its policies or, where one refuses it, under none. Loopback is free: a shop's own server calls from there.
"""

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest

from tillgate.common.errors import TooMany

MAX_SUBJECTS = 50_000
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, kw_only=True, eq=False)  # Each is itself: the counts are kept by it.
class Policy:
    """So many calls in so many seconds, of one kind, by one subject: an address, an e-mail, a merchant.

    What `is_shared` is counted for the merchant and for all guests together as well.
    """

    name: str
    calls: int
    window_s: int
    says: str = "Too many requests from this address. Come back in {wait_s} s, or use a key."
    is_shared: bool = False


Count = tuple[Policy, str]  # A policy, and the subject to count under it.

CREATE = Policy(name="guest-create", calls=60, window_s=60, is_shared=True)
ATTEMPT = Policy(name="guest-attempt", calls=60, window_s=60, is_shared=True)
READ = Policy(name="guest-read", calls=600, window_s=60)
EMAIL = Policy(
    name="guest-email",
    calls=100,
    window_s=3600,
    says="Too many payments for this e-mail address. Come back in {wait_s} s, or use a key.",
)
MERCHANT = Policy(
    name="guest-merchant",
    calls=600,
    window_s=60,
    says="Too many people are paying here just now. Come back in {wait_s} s, or use a key.",
)
ALL = Policy(name="guest-all", calls=1200, window_s=60, says=MERCHANT.says)
# Requests that are being answered at the same time, in each web process (which has 16 threads): of one
# address, and of all guests. Whoever sends a body byte by byte holds a thread; keys and gateways keep four.
AT_ONCE, ALL_AT_ONCE = 8, 12

EVERYBODY = "everybody"  # No address is written so.

_lock = threading.Lock()
_used_up_at: OrderedDict[Count, float] = OrderedDict()
_present: dict[str, int] = {}


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a subject stands: how many calls are left, and the seconds until one, or all, are free again."""

    policy: Policy
    left: int
    wait_s: int


@dataclass(kw_only=True)
class Admission:
    """Leave for one request. `headers` tell its address where it stands; of what others do (who else pays
    this merchant, how much mail an address gets) nothing is told before it is refused for it."""

    headers: dict[str, str] = field(default_factory=dict)
    _standing: Standing | None = None
    _taken: list[Count] = field(default_factory=list)

    def also(self, *counts: Count) -> None:
        """Count the request under more policies; where one refuses, what it had taken is given back.

        Raises TooMany.
        """
        if self._standing is None:
            return
        _, refused = _take(counts)
        if refused:
            _give_back(self._taken)
            raise _refusal(refused, self._standing)
        self._taken += counts


def admit(request: HttpRequest, policy: Policy, *more: Count) -> Admission:
    """Count a call of the request's address, and under `more`: under all or none.

    Raises TooMany when one has no call left.
    """
    subject = _subject(request)
    if subject is None:
        return Admission()
    counts = [(policy, subject), *more]
    standings, refused = _take(counts)
    if refused:
        raise _refusal(refused, *standings[:1])
    return Admission(headers=_headers(standings[0]), _standing=standings[0], _taken=counts)


def admit_subject(policy: Policy, subject: str) -> dict[str, str]:
    """Count a call by what is no address, such as a login's name; return the headers that tell of it.

    Take one before the answer is worked out, so that many at the same time gain nothing, and `forgive`
    when it was no failure. Counted from loopback too. Raises TooMany when the subject has no call left;
    what the policy `says` is the message.
    """
    if settings.TILLGATE_THROTTLES == "off":
        return {}
    standings, refused = _take([(policy, subject)])
    if refused:
        raise _refusal(refused)
    return _headers(*standings)


def forgive(policy: Policy, subject: str) -> None:
    """Give a subject all its calls back."""
    with _lock:
        _used_up_at.pop((policy, subject), None)


@contextmanager
def at_once(request: HttpRequest) -> Iterator[None]:
    """Hold one of the places that guests, and one address, have in this process. Raises TooMany when all are
    taken."""
    place = come_in(request)
    try:
        yield
    finally:
        go_out(place)


def shared(merchant_id: int) -> tuple[Count, Count]:
    """Return what a guest's request that is_shared counts under beside its address."""
    return (MERCHANT, str(merchant_id)), (ALL, EVERYBODY)


def forget_all() -> None:
    """Forget every count."""
    with _lock:
        _used_up_at.clear()


def client_address(request: HttpRequest) -> Address | None:
    """Return the address of the client: the socket's, or what the outermost trusted proxy saw.

    Each trusted proxy appends one entry to X-Forwarded-For; whatever stands before those was
    written by the client and says nothing.
    """
    return _read_address(_address_text(request))


def _address_text(request: HttpRequest) -> str:
    text: str = request.META.get("REMOTE_ADDR", "")
    if proxies := settings.TILLGATE_TRUSTED_PROXIES:
        parts = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        seen = [part.strip() for part in parts if part.strip()]
        text = seen[-proxies] if len(seen) >= proxies else text
    return text[:50]  # No address is longer, and what follows remembers it.


@lru_cache(maxsize=4096)
def _read_address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ipaddress.IPv4Address(0) if text else None  # One bucket for the unreadable.
    return getattr(address, "ipv4_mapped", None) or address


def _subject(request: HttpRequest) -> str | None:
    """Under what an address is counted; None where it is free."""
    return None if settings.TILLGATE_THROTTLES == "off" else _subject_of(_address_text(request))


@lru_cache(maxsize=4096)
def _subject_of(text: str) -> str | None:
    address = _read_address(text)
    if address is None or address.is_loopback:
        return None
    # A household has a whole /64 of IPv6 addresses.
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


def come_in(request: HttpRequest) -> str | None:
    """Take one of the places of `at_once`; return it, to be handed to `go_out` whatever happens. Raises
    TooMany."""
    subject = _subject(request)
    if subject is None:
        return None
    with _lock:
        here, there = _present.get(subject, 0), _present.get(EVERYBODY, 0)
        if here < AT_ONCE and there < ALL_AT_ONCE:
            _present[subject], _present[EVERYBODY] = here + 1, there + 1
            return subject
    says = "More requests are being answered already than can be at the same time. Send it again in a moment."
    headers = {
        "RateLimit-Policy": f'"guest-at-once";q={AT_ONCE};qu="concurrent-requests"',
        "RateLimit": '"guest-at-once";r=0',
        "Retry-After": "1",
    }
    raise TooMany(says, headers=headers)


def go_out(place: str | None) -> None:
    """Give a place back."""
    if place is None:
        return
    with _lock:
        for name in (place, EVERYBODY):
            _present[name] -= 1
            if not _present[name]:
                del _present[name]


def _take(counts: Sequence[Count]) -> tuple[list[Standing], Standing | None]:
    """Take one call under each of `counts`, or none; return where each stands, and the one that refused."""
    now = time.monotonic()
    standings: list[Standing] = []
    used_up: list[tuple[Count, float]] = []
    with _lock:
        for count in counts:
            policy, cost = count[0], _cost_s(count[0])
            used_up_at = max(_used_up_at.get(count, now), now) + cost
            busy_s = used_up_at - now
            # Half a call of tolerance: sums of fractions are not exact, and refuse no last call for that.
            if busy_s > policy.window_s + cost / 2:
                wait_s = math.ceil(busy_s - policy.window_s)
                return standings, Standing(policy=policy, left=0, wait_s=wait_s)
            left = max(0, int((policy.window_s - busy_s) / cost))
            standings.append(Standing(policy=policy, left=left, wait_s=max(1, round(busy_s))))
            used_up.append((count, used_up_at))
        for count, used_up_at in used_up:
            _used_up_at[count] = used_up_at
            _used_up_at.move_to_end(count)
        while len(_used_up_at) > MAX_SUBJECTS:
            _used_up_at.popitem(last=False)
    return standings, None


def _give_back(counts: Sequence[Count]) -> None:
    with _lock:
        for count in counts:
            if count in _used_up_at:
                _used_up_at[count] -= _cost_s(count[0])


def _cost_s(policy: Policy) -> float:
    """How long one call uses up the allowance of this process: its share, rounded up."""
    return policy.window_s / math.ceil(policy.calls / settings.TILLGATE_WEB_PROCESSES)


def _refusal(refused: Standing, *others: Standing) -> TooMany:
    wait_s = str(refused.wait_s)
    headers = {**_headers(refused, *others), "Retry-After": wait_s}
    return TooMany(refused.policy.says.format(wait_s=wait_s), headers=headers)


def _headers(*standings: Standing) -> dict[str, str]:
    """Where the caller stands, the tightest policy first."""
    policies = (f'"{it.policy.name}";q={it.policy.calls};w={it.policy.window_s}' for it in standings)
    lefts = (f'"{it.policy.name}";r={it.left};t={it.wait_s}' for it in standings)
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(lefts)}
