"""A merchant's own gateway accounts: stored, given other secrets, removed.

The secrets are encrypted and never shown again. No two accounts have the same one: whose an event is that
is signed with it, and whose money, nobody could tell.
"""

import json
from collections.abc import Iterator, Mapping

from django.db import transaction

from tillgate.common import clock
from tillgate.common.crypto import CannotDecrypt, Rotation, encrypt, rotate
from tillgate.common.errors import InvalidRequest
from tillgate.common.references import new_reference
from tillgate.gateways.protocol import Mode
from tillgate.gateways.registry import GATEWAYS
from tillgate.merchants.errors import AccountExists, AccountTaken
from tillgate.merchants.models import Merchant, StoredAccount
from tillgate.merchants.services.installation import environment_accounts, former_secrets, installation
from tillgate.merchants.services.own_accounts import (
    Secrets,
    forget_own_accounts,
    former_secrets_of,
    secrets_of,
)

MOST_FORMER = 5
LONGEST_SECRET = 500
ONLY_TEST = "This installation is local, where no real money is taken: set TILLGATE_ENV=production."


@transaction.atomic
def add_account(merchant: Merchant, gateway: str, mode: Mode, secrets: Secrets) -> StoredAccount:
    """Store an account. Raises InvalidRequest that names what is wrong, AccountExists, AccountTaken."""
    secrets = _checked(gateway, mode, secrets)
    _lock_all()
    if known := StoredAccount.objects.filter(merchant=merchant, gateway=gateway, mode=mode).first():
        raise AccountExists(
            f"{merchant.name} has a {mode} account at {gateway}: {known.reference}. Replace its secrets, or "
            "remove it first."
        )
    now = clock.now()
    row = StoredAccount(
        reference=new_reference("GAC"), merchant=merchant, gateway=gateway, mode=mode, created_at=now
    )
    return _store(row, secrets)


@transaction.atomic
def replace_secrets(account_id: int, secrets: Secrets) -> StoredAccount:
    """Give an account other secrets, of the same account at the gateway. Events that are signed with the
    former ones are heard until `forget_former`. Raises as `add_account`; a repeat changes nothing."""
    _lock_all()
    row = StoredAccount.objects.get(pk=account_id)
    secrets = _checked(row.gateway, "live" if row.mode == "live" else "test", secrets)
    former = _former(row)
    if former and former[0] == secrets:
        return row
    former = [one for one in former if one != secrets][:MOST_FORMER]
    row.former_secrets = encrypt(json.dumps(former)) if former else ""
    return _store(row, secrets)


@transaction.atomic
def forget_former(account_id: int) -> StoredAccount:
    """Hear no event any more that is signed with a former secret; a repeat changes nothing."""
    row = StoredAccount.objects.select_for_update().get(pk=account_id)
    if row.former_secrets:
        row.former_secrets, row.changed_at = "", clock.now()
        row.save(update_fields=["former_secrets", "changed_at"])
        _changed()
    return row


@transaction.atomic
def remove_account(account_id: int) -> None:
    """Remove an account with its secrets. Whoever calls has seen that no money needs it."""
    StoredAccount.objects.filter(pk=account_id).delete()
    _changed()


def rotate_accounts() -> Rotation:
    """Encrypt all secrets anew with the first of TILLGATE_ENCRYPTION_KEYS; see `rotate_tokens`."""
    rows = list(StoredAccount.objects.values_list("pk", flat=True))
    done = sum(map(_rotate, rows))
    return Rotation(done=done, unreadable=len(rows) - done)


def _checked(gateway: str, mode: Mode, secrets: Secrets) -> Secrets:
    """Return the secrets as they are stored. Raises InvalidRequest with all that is wrong with them."""
    adapter, here = GATEWAYS.get(gateway), installation()
    if adapter is None:
        raise _invalid({"gateway": [f"Send one of {', '.join(GATEWAYS)}."]})
    if mode == "live" and here.is_local:
        raise _invalid({"mode": [ONLY_TEST]})
    secrets = {name: value.strip() for name, value in secrets.items()}
    wrong = dict(_wrong_names(secrets, adapter.secrets))
    if not wrong:
        for problem in adapter.problems_of(adapter.values_of(mode, secrets, here.settings)):
            wrong.setdefault(f"secrets.{problem.setting}", []).append(f"{problem.message} {problem.hint}")
    if not wrong and here.account_of(gateway, mode, secrets) is None:
        wrong["mode"] = [f"These secrets are not of {mode} mode. Send the other mode, or its secrets."]
    if wrong:
        raise _invalid(wrong)
    return {name: secrets[name] for name in adapter.secrets}


def _wrong_names(secrets: Secrets, names: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    for name in secrets:
        if name not in names:
            yield f"secrets.{name[:80]}", [f"There is no such secret; send {', '.join(names)}."]
    for name in names:
        if not secrets.get(name):
            yield f"secrets.{name}", ["This member is required."]
        elif len(secrets[name]) > LONGEST_SECRET:
            yield f"secrets.{name}", [f"Send at most {LONGEST_SECRET} characters."]


def _invalid(errors: Mapping[str, list[str]]) -> InvalidRequest:
    first, messages = next(iter(errors.items()))
    return InvalidRequest(f"{first}: {messages[0]}", code="invalid_gateway_account", errors=errors)


def _store(row: StoredAccount, secrets: Secrets) -> StoredAccount:
    _require_free(row, secrets)
    first = GATEWAYS[row.gateway].secrets[0]
    row.secrets, row.hint, row.changed_at = encrypt(json.dumps(secrets)), secrets[first][-4:], clock.now()
    row.save()
    _changed()
    return row


def _require_free(row: StoredAccount, secrets: Secrets) -> None:
    for others in (*_of_the_environment(row), *_of_the_others(row)):
        for name, value in secrets.items():
            if others.get(name) == value:
                raise AccountTaken(
                    f"This {name} is that of another account here, so nobody could tell whose an event is. "
                    "Send this account's own."
                )


def _of_the_environment(row: StoredAccount) -> Iterator[Secrets]:
    same = row.merchant.is_default and any(
        (account.gateway, account.mode) == (row.gateway, row.mode) for account in environment_accounts()
    )
    if not same:  # The same account may move from the environment into the table.
        here = installation().settings
        yield {name: here[name].strip() for name in GATEWAYS[row.gateway].secrets}
        yield former_secrets()


def _of_the_others(row: StoredAccount) -> Iterator[Secrets]:
    for other in StoredAccount.objects.filter(gateway=row.gateway).exclude(pk=row.pk):
        try:
            yield from (secrets_of(other), *former_secrets_of(other))
        except CannotDecrypt:
            continue  # Nothing is heard by it either.


def _former(row: StoredAccount) -> list[Secrets]:
    try:
        return [secrets_of(row), *former_secrets_of(row)]
    except CannotDecrypt:
        return []  # What nobody can read is replaced, and not kept.


def _lock_all() -> None:
    """Let one process at a time compare secrets and store one; nothing else waits for this lock."""
    Merchant.objects.select_for_update(no_key=True).get(is_default=True)


def _changed() -> None:
    forget_own_accounts()
    transaction.on_commit(forget_own_accounts)


@transaction.atomic
def _rotate(account_id: int) -> bool:
    row = StoredAccount.objects.select_for_update().filter(pk=account_id).first()
    if row is None:
        return True  # Removed meanwhile.
    try:
        row.secrets = rotate(row.secrets)
        row.former_secrets = rotate(row.former_secrets) if row.former_secrets else ""
    except CannotDecrypt:
        return False
    row.save(update_fields=["secrets", "former_secrets"])
    return True
