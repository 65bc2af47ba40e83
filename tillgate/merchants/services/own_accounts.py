"""The gateway accounts that merchants have stored (`stored_accounts`), decrypted and kept a few seconds."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import cast

import structlog

from tillgate.common.crypto import CannotDecrypt, decrypt
from tillgate.gateways.protocol import GatewayAccount, Mode
from tillgate.merchants.models import StoredAccount
from tillgate.merchants.services.installation import CHANGEABLE, Installation, installation

log = structlog.get_logger(__name__)
REREAD_S = 5.0

Secrets = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class OwnAccount:
    """A stored account. By the `former` ones events are still known; nothing is called with those."""

    merchant_id: int
    account: GatewayAccount
    former: tuple[GatewayAccount, ...]


OwnAccounts = dict[tuple[int, str], tuple[OwnAccount, ...]]


@dataclass(frozen=True, kw_only=True)
class _Kept:
    read_at: float
    rows: tuple[StoredAccount, ...]
    here: Installation
    accounts: OwnAccounts


_kept: _Kept | None = None


def own_accounts() -> OwnAccounts:
    """Return the stored accounts by merchant and mode. At most one query in a few seconds."""
    global _kept
    known, here, now = _kept, installation(), time.monotonic()
    if known is None or now - known.read_at > REREAD_S:
        rows = tuple(StoredAccount.objects.order_by("pk"))
        known = _kept = _Kept(read_at=now, rows=rows, here=here, accounts=_accounts_of(rows, here))
    elif known.here is not here:
        known = _kept = replace(known, here=here, accounts=_accounts_of(known.rows, here))
    return known.accounts


def forget_own_accounts() -> None:
    """Read them anew at the next call."""
    global _kept
    _kept = None


def secrets_of(row: StoredAccount) -> Secrets:
    """Return the secrets of a stored account. Raises CannotDecrypt."""
    return cast(Secrets, _opened(row.secrets))


def former_secrets_of(row: StoredAccount) -> list[Secrets]:
    """Return its former secrets, the latest first. Raises CannotDecrypt."""
    return cast(list[Secrets], _opened(row.former_secrets)) if row.former_secrets else []


def _accounts_of(rows: Iterable[StoredAccount], here: Installation) -> OwnAccounts:
    found: OwnAccounts = {}
    for row in rows:
        if own := _own_account(row, here):
            place = (row.merchant_id, row.mode)
            found[place] = (*found.get(place, ()), own)
    return found


def _own_account(row: StoredAccount, here: Installation) -> OwnAccount | None:
    if row.mode == "live" and here.is_local:
        return None  # Real money is never taken with a developer's settings.
    mode = cast(Mode, row.mode)
    try:
        account = here.account_of(row.gateway, mode, secrets_of(row))
        former = tuple(here.account_of(row.gateway, mode, secrets) for secrets in _known_by(row))
    except CannotDecrypt as error:
        log.error("account_not_readable", account=row.reference, reason=str(error))
        return None
    if account is None:
        return None
    return OwnAccount(merchant_id=row.merchant_id, account=account, former=tuple(filter(None, former)))


def _known_by(row: StoredAccount) -> Iterator[Secrets]:
    for former in former_secrets_of(row):
        yield {**secrets_of(row), **{name: former[name] for name in CHANGEABLE if name in former}}


@lru_cache(maxsize=2048)
def _opened(text: str) -> object:
    return json.loads(decrypt(text))
