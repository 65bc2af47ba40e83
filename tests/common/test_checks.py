import base64
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.db import connection

from tillgate.common.checks import check_settings

SQLITE = {
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
}
ENCRYPTION_KEY = "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk="

HEALTHY = {
    "IS_LOCAL": False,
    "TILLGATE_ENV": "production",
    "SECRET_KEY": "k" * 50,
    "ALLOWED_HOSTS": ["pay.example"],
    "TILLGATE_PUBLIC_URL": "https://pay.example",
    "TILLGATE_TRUSTED_PROXIES": 1,
    "TILLGATE_WEB_PROCESSES": 2,
    "TILLGATE_DATABASE_POOL": None,
    "TILLGATE_METRICS_TOKEN": "m1e2t3r4i5c6s7-token",
    "TILLGATE_ACCESS_LOG": "on",
    "TILLGATE_DEFAULT_CURRENCY": "NGN",
    "TILLGATE_GUEST_CREATE": "on",
    "TILLGATE_GUEST_MODE": "",
    "TILLGATE_LATE_PAYMENT": "accept",
    "TILLGATE_THROTTLES": "on",
    "TILLGATE_ENCRYPTION_KEYS": (ENCRYPTION_KEY, ENCRYPTION_KEY),
    "TILLGATE_MISSED_CYCLES": "latest",
    "TILLGATE_PAST_DUE": "cancel",
    "TILLGATE_RETRY_AROUND_PAYDAYS": "off",
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "EMAIL_HOST": "mail.example",
    "EMAIL_USE_TLS": True,
    "TILLGATE_JWT_KEY": "j" * 50,
    "PAYSTACK_SECRET_KEY": "",
    "FLUTTERWAVE_WEBHOOK_HASH": "",
}
# What is wrong, the id of the error in production, and what `local` says of it.
SICK = [
    ({"TILLGATE_ENV": "prod"}, "E001", "E001"),
    ({"TILLGATE_GUEST_CREATE": "no"}, "E001", "E001"),
    ({"TILLGATE_GUEST_MODE": "sandbox"}, "E001", "E001"),
    ({"TILLGATE_LATE_PAYMENT": ""}, "E001", "E001"),
    ({"TILLGATE_THROTTLES": "OFF"}, "E001", "E001"),
    ({"SECRET_KEY": "missing"}, "E002", "E002"),
    ({"SECRET_KEY": "k" * 31}, "E002", "E002"),
    ({"TILLGATE_DEFAULT_CURRENCY": "ngn"}, "E003", "E003"),
    ({"TILLGATE_DEFAULT_CURRENCY": ""}, "E003", "E003"),
    ({"TILLGATE_THROTTLES": "off"}, "E007", "W007"),
    ({"TILLGATE_PUBLIC_URL": "http://pay.example"}, "E008", None),
    ({"ALLOWED_HOSTS": []}, "E009", "W009"),
    ({"ALLOWED_HOSTS": ["pay.example", "*"]}, "E009", "W009"),
    ({"TILLGATE_TRUSTED_PROXIES": None}, "E010", None),
    ({"TILLGATE_TRUSTED_PROXIES": -1}, "E011", "E011"),
    ({"TILLGATE_WEB_PROCESSES": 0}, "E011", "E011"),
    ({"TILLGATE_DATABASE_POOL": 15}, "E011", "E011"),
    ({"TILLGATE_ACCESS_LOG": "yes"}, "E001", "E001"),
    ({"TILLGATE_METRICS_TOKEN": "0123456789abcde"}, "E045", "W045"),
    ({"TILLGATE_METRICS_TOKEN": "ab" * 20}, "E045", "W045"),
    ({"TILLGATE_METRICS_TOKEN": "change-me-0123456789"}, "E031", "E031"),
    ({"TILLGATE_MISSED_CYCLES": "last"}, "E001", "E001"),
    ({"TILLGATE_PAST_DUE": "stop"}, "E001", "E001"),
    ({"TILLGATE_RETRY_AROUND_PAYDAYS": "yes"}, "E001", "E001"),
    ({"TILLGATE_ENCRYPTION_KEYS": ()}, "E017", "E017"),
    ({"TILLGATE_ENCRYPTION_KEYS": (ENCRYPTION_KEY, "short")}, "E017", "E017"),
    ({"TILLGATE_ENCRYPTION_KEYS": (ENCRYPTION_KEY * 2,)}, "E017", "E017"),
    ({"TILLGATE_ENCRYPTION_KEYS": (base64.urlsafe_b64encode(bytes(32)).decode(),)}, "E017", "E017"),
    ({"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}, "E018", None),
    ({"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend"}, "E018", None),
    ({"EMAIL_USE_TLS": False}, "W035", None),
    ({"TILLGATE_JWT_KEY": "missing"}, "E030", "E030"),
    ({"TILLGATE_JWT_KEY": "j" * 31}, "E030", "E030"),
    ({"TILLGATE_JWT_KEY": "k" * 50}, "E020", "E020"),
    ({"SECRET_KEY": f"django-insecure-{'k' * 50}"}, "E031", "E031"),
    ({"TILLGATE_JWT_KEY": f"change-me-{'j' * 50}"}, "E031", "E031"),
    ({"TILLGATE_JWT_KEY": "x" * 50}, "E031", "E031"),
    ({"PAYSTACK_SECRET_KEY": "sk_live_CHANGEME0123456789"}, "E031", "E031"),
    ({"FLUTTERWAVE_WEBHOOK_HASH_PREVIOUS": "<your secret hash of Flutterwave>"}, "E031", "E031"),
]


def _found(settings: Any, **changes: Any) -> list[CheckMessage]:
    for name, value in {**HEALTHY, **changes}.items():
        setattr(settings, name, value)
    return check_settings(None)


def _ids(messages: list[CheckMessage]) -> list[str]:
    return [str(message.id).removeprefix("tillgate.") for message in messages]


def test_a_healthy_production_has_nothing_to_say(settings):
    assert _found(settings) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"EMAIL_USE_TLS": False, "EMAIL_USE_SSL": True},
        {"EMAIL_USE_TLS": False, "EMAIL_HOST": "localhost"},
        {"TILLGATE_TRUSTED_PROXIES": 0},
        {"TILLGATE_METRICS_TOKEN": ""},
        {"TILLGATE_METRICS_TOKEN": "0123456789abcdef"},
    ],
    ids=str,
)
def test_so_is_this_one(settings, changes):
    assert _found(settings, **changes) == []


@pytest.mark.parametrize(
    ("engine", "options", "is_safe"),
    [
        ("sqlite3", SQLITE, True),
        ("sqlite3", {}, False),
        ("sqlite3", {**SQLITE, "transaction_mode": "DEFERRED"}, False),
        ("sqlite3", {**SQLITE, "init_command": "PRAGMA journal_mode=WAL"}, False),
        ("sqlite3", {**SQLITE, "init_command": "PRAGMA synchronous=FULL"}, False),
        ("postgresql", {"sslmode": "require", "options": "-c statement_timeout=5s"}, True),
        ("postgresql", {"options": "-c synchronous_commit=off"}, False),
        ("postgresql", {"options": "-c fsync = off"}, False),
    ],
)
def test_d12_a_database_that_may_forget_is_refused(settings, monkeypatch, engine, options, is_safe):
    monkeypatch.setitem(connection.settings_dict, "ENGINE", f"django.db.backends.{engine}")
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)

    assert _ids(_found(settings)) == ["E032"] * (not is_safe)
    assert _ids(_found(settings, IS_LOCAL=True)) == ["W032"] * (not is_safe)


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps what it confirmed by itself")
def test_d12_sqlite_works_as_the_options_say():
    with connection.cursor() as cursor:
        said = [cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]

    assert said == ["wal", 2]  # 2 is FULL.


@pytest.mark.parametrize(("changes", "in_production", "in_local"), SICK, ids=str)
def test_production_refuses_what_local_at_most_warns_about(settings, changes, in_production, in_local):
    assert _ids(_found(settings, **changes)) == [in_production]

    local = _ids(_found(settings, **{"TILLGATE_ENV": "local", "IS_LOCAL": True, **changes}))

    assert local == [in_local] * (in_local is not None)


@pytest.mark.parametrize("changes", [changes for changes, _, _ in SICK], ids=str)
def test_each_message_says_what_to_set(settings, changes):
    (message,) = _found(settings, **changes)

    assert message.hint


def test_the_settings_of_these_tests_are_checked_by_django_itself(settings):
    settings.TILLGATE_THROTTLES = "off"

    assert "tillgate.W007" in [message.id for message in run_checks(tags=["security"])]
