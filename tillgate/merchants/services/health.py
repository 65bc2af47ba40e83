"""Whether a gateway is worth a call just now: a circuit breaker whose state all processes share.

Three faults in a row open it: nobody is sent there for half a minute. Then one caller tries, and no
other; its success closes the circuit, its failure opens it again for twice as long, up to ten minutes.
Each merchant has circuits of its own: trouble with one's account rests no gateway for the others.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet

from tillgate.common import clock
from tillgate.gateways.errors import DuplicateReference, GatewayError, GatewayUnknown, Rejected, Unreachable
from tillgate.gateways.protocol import GatewayAccount
from tillgate.merchants.errors import GatewayResting
from tillgate.merchants.models import GatewayHealth

log = structlog.get_logger(__name__)
FAULTS_TO_OPEN = 3
OPEN_S = 30
LONGEST_OPEN_S = 600
TRIAL_S = 15  # Longer than any call in a request: a trial that is older has lost its caller.


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Leave to call a gateway once: `failures` in a row so far; of a resting one it is the `trial`."""

    merchant_id: int
    gateway: str
    mode: str
    failures: int = 0
    trial: bool = False


def resting(merchant_id: int, mode: str) -> frozenset[str]:
    """Return the gateways that none of a merchant's customers is sent to just now. One query."""
    found = _open_circuits(mode).filter(merchant=merchant_id)
    return frozenset(found.values_list("gateway", flat=True))


def merchants_resting(mode: str) -> dict[str, set[int]]:
    """Return, by gateway, the merchants for which it rests just now. One query."""
    found: dict[str, set[int]] = {}
    for gateway, merchant_id in _open_circuits(mode).values_list("gateway", "merchant"):
        found.setdefault(gateway, set()).add(merchant_id)
    return found


def enter(merchant_id: int, account: GatewayAccount, *, alone: bool) -> Entry:
    """Return leave to call a gateway. Raises GatewayResting while its circuit is open.

    Of all callers of all processes, one is let in as the trial. Where no other gateway could take the
    payment (`alone`), a trial is let in every few seconds: there is nothing to lose by asking.
    """
    entry = Entry(merchant_id=merchant_id, gateway=account.gateway, mode=account.mode)
    row = _circuit(entry).first()
    if row is None:
        return entry
    is_trial = row.failures >= FAULTS_TO_OPEN
    if is_trial and not _claim_trial(row, alone=alone):
        raise _resting(row, alone=alone)
    return replace(entry, failures=row.failures, trial=is_trial)


def note_outcome(entry: Entry, error: GatewayError | None) -> None:
    """Keep in mind how the call went; of a success at a healthy gateway nothing is written.

    A gateway that refuses us (`Rejected`) is well, and one that asks us to slow down is not down.
    """
    if error is None or isinstance(error, Rejected | DuplicateReference):
        _note_answer(entry)
    elif isinstance(error, GatewayUnknown) or (
        isinstance(error, Unreachable) and error.retry_after_s is None
    ):
        _note_fault(entry)


def _note_answer(entry: Entry) -> None:
    if not entry.failures:
        return
    _circuit(entry).update(failures=0, open_until=None, changed_at=clock.now())
    if entry.trial:
        log.warning("gateway_back", gateway=entry.gateway, mode=entry.mode, merchant=entry.merchant_id)


@transaction.atomic
def _note_fault(entry: Entry) -> None:
    whose = {"merchant_id": entry.merchant_id, "gateway": entry.gateway, "mode": entry.mode}
    rows, now = GatewayHealth.objects.select_for_update(), clock.now()
    row, _ = rows.get_or_create(**whose, defaults={"changed_at": now})
    if row.failures >= FAULTS_TO_OPEN and not entry.trial:
        return  # This call began before the circuit opened: it says nothing new.
    row.failures, row.changed_at = row.failures + 1, now
    if row.failures >= FAULTS_TO_OPEN:
        open_s = _open_s(row.failures)
        row.open_until = now + timedelta(seconds=open_s)
        log.error("gateway_resting", for_s=open_s, **whose)
    row.save(update_fields=["failures", "changed_at", "open_until"])


def _open_circuits(mode: str) -> QuerySet[GatewayHealth]:
    return GatewayHealth.objects.filter(mode=mode, failures__gte=FAULTS_TO_OPEN, open_until__gt=clock.now())


def _circuit(entry: Entry) -> QuerySet[GatewayHealth]:
    return GatewayHealth.objects.filter(merchant=entry.merchant_id, gateway=entry.gateway, mode=entry.mode)


def _open_s(failures: int) -> int:
    doublings = min(failures - FAULTS_TO_OPEN, 10)  # A year of faults is no huge number.
    return min(OPEN_S << doublings, LONGEST_OPEN_S)


def _claim_trial(row: GatewayHealth, *, alone: bool) -> bool:
    now = clock.now()
    due = Q(open_until__lte=now)
    if alone:
        due |= Q(changed_at__lte=now - timedelta(seconds=TRIAL_S))
    # One statement, so that of all processes one sees its row changed.
    claimed = GatewayHealth.objects.filter(due, pk=row.pk, failures__gte=FAULTS_TO_OPEN)
    return claimed.update(open_until=now + timedelta(seconds=TRIAL_S), changed_at=now) == 1


def _resting(row: GatewayHealth, *, alone: bool) -> GatewayResting:
    ends = [row.open_until or clock.now()]
    if alone:
        ends.append(row.changed_at + timedelta(seconds=TRIAL_S))
    return GatewayResting(
        f"{row.gateway} has not answered several times and is left alone for a moment. "
        "No money has moved; try again.",
        headers={"Retry-After": str(_seconds_until(min(ends)))},
    )


def _seconds_until(moment: datetime) -> int:
    return max(1, ceil((moment - clock.now()).total_seconds()))
