"""The trail of who did what, from where: written in the transaction of what was done."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection

from tillgate.common import clock
from tillgate.common.references import new_reference
from tillgate.merchants.models import AuditEntry, Merchant


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts: `kind` is key, staff, customer, command or system; `name` is shown in the trail."""

    kind: str
    name: str
    address: str | None = None
    request_id: str = ""


def by_command(name: str) -> Actor:
    """Somebody at the machine itself, by `./run NAME`."""
    return Actor(kind="command", name=name)


def record(
    actor: Actor, merchant: Merchant, action: str, subject: str, data: Mapping[str, object] | None = None
) -> AuditEntry:
    """Write one line of the trail; it commits or vanishes with what was done. No secret belongs in `data`."""
    assert connection.in_atomic_block, "the trail is written in the transaction of what was done"
    return AuditEntry.objects.create(
        reference=new_reference("AUD"),
        merchant_id=merchant.pk,
        actor_kind=actor.kind,
        actor=actor.name[:80],
        action=action,
        subject=subject[:40],
        address=actor.address,
        request_id=actor.request_id[:64],
        data=dict(data or {}),
        created_at=clock.now(),
    )
