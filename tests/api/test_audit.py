"""The trail of who did what: every door that changes something leaves one line, or none where it fails."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from tests.api.client import MINIMAL, PAYMENTS, ApiClient
from tests.api.doors import api_doors
from tests.api.world import BODIES, PERSONAL, call, make_callers, make_world
from tests.builders import access_token, make_merchant, make_payment, make_settled, make_staff, make_user
from tillgate.common import clock
from tillgate.common.append_only import protect
from tillgate.merchants.models import ApiKey, AuditEntry
from tillgate.merchants.services.audit import Actor, record
from tillgate.merchants.services.keys import NewKey, create_key
from tillgate.payments.models import Payment, Refund

AUDIT = "/api/v1/audit"
# What each door that writes leaves. One that is added fails until it is here.
ACTIONS = {
    "POST api/v1/payments": "payment.created",
    "POST api/v1/payments/<str:reference>/cancel": "payment.canceled",
    "POST api/v1/payments/<str:reference>/resolve": "payment.resolved",
    "POST api/v1/payments/<str:reference>/refunds": "refund.created",
    "POST api/v1/payments/<str:reference>/surplus/<str:surplus>/refund": "surplus.refunded",
    "POST api/v1/payments/<str:reference>/disputes/<str:dispute>/evidence": "dispute.evidence_kept",
    "POST api/v1/subscriptions": "subscription.created",
    "PATCH api/v1/subscriptions/<str:reference>": "subscription.changed",
    "POST api/v1/subscriptions/<str:reference>/pause": "subscription.paused",
    "POST api/v1/subscriptions/<str:reference>/resume": "subscription.resumed",
    "POST api/v1/subscriptions/<str:reference>/cancel": "subscription.canceled",
    "DELETE api/v1/payment-methods/<str:reference>": "payment_method.removed",
    "POST api/v1/staff": "staff.invited",
    "PATCH api/v1/staff/<str:reference>": "staff.changed",
    "DELETE api/v1/staff/<str:reference>": "staff.removed",
    "POST api/v1/keys": "key.created",
    "DELETE api/v1/keys/<str:reference>": "key.revoked",
    "POST api/v1/keys/<str:reference>/rotate": "key.rotated",
    "POST api/v1/approvals/<str:reference>/approve": "approval.approved",
    "POST api/v1/approvals/<str:reference>/reject": "approval.rejected",
    "PATCH api/v1/merchant": "merchant.changed",
    "PUT api/v1/merchant/logo": "merchant.logo_set",
    "DELETE api/v1/merchant/logo": "merchant.logo_removed",
    "POST api/v1/gateway-accounts": "gateway_account.created",
    "DELETE api/v1/gateway-accounts/<str:reference>": "gateway_account.removed",
    "POST api/v1/gateway-accounts/<str:reference>/secrets": "gateway_account.secrets_replaced",
    "POST api/v1/gateway-accounts/<str:reference>/forget-former": "gateway_account.former_forgotten",
    "POST api/v1/webhook-endpoints": "endpoint.created",
    "PATCH api/v1/webhook-endpoints/<str:reference>": "endpoint.changed",
    "DELETE api/v1/webhook-endpoints/<str:reference>": "endpoint.deleted",
    "POST api/v1/webhook-endpoints/<str:reference>/rotate-secret": "endpoint.secret_rotated",
    "POST api/v1/webhook-endpoints/<str:reference>/test": "endpoint.tested",
    "POST api/v1/events/<str:reference>/redeliver": "event.redelivered",
}
# It opens a gateway's session, which no transaction may wait for; the attempt's own row says who and when.
WITHOUT_A_LINE = {"POST api/v1/payments/<str:reference>/attempts"}
NEVER_FAILS = {"DELETE api/v1/merchant/logo"}
ADDRESS = "203.0.113.7"


@pytest.fixture
def owner(merchant):
    """A person; `make_callers` has the same."""
    make_user("newcomer")
    return make_callers(merchant)["owner"]


def _lines() -> list[AuditEntry]:
    return list(AuditEntry.objects.exclude(action="thing.done").order_by("pk"))


def test_every_door_that_writes_is_in_the_table():
    writing = {door for door in api_doors() if not door.startswith("GET")}
    personal = {door for door in writing if door.partition(" ")[2].startswith(PERSONAL)}

    assert writing == set(ACTIONS) | WITHOUT_A_LINE | personal
    assert set(BODIES) == writing


@pytest.mark.parametrize("door", sorted(ACTIONS))
def test_s34_what_is_done_leaves_one_line_of_who_and_from_where(owner, merchant, door):
    world = make_world(merchant)
    caller_headers = {"REMOTE_ADDR": ADDRESS, "HTTP_X_REQUEST_ID": "request-0001"}
    owner.defaults.update(caller_headers)

    answer = call(owner, door, world.path(door))

    assert answer.status_code in (200, 201, 204), answer.content
    (line,) = _lines()
    assert (line.action, line.merchant_id) == (ACTIONS[door], merchant.pk)
    assert (line.actor_kind, line.actor) == ("staff", "owner-here")
    assert (line.address, line.request_id) == (ADDRESS, "request-0001")
    told = f"{answer.content.decode()} {world.path(door)} {merchant.reference}"
    assert line.subject in told


@pytest.mark.parametrize("door", sorted(set(ACTIONS) - NEVER_FAILS))
def test_s34_what_fails_leaves_no_line(owner, merchant, door):
    world = make_world(merchant)
    path = world.path(door)
    for row in world.rows.values():
        if hasattr(row, "reference"):
            path = path.replace(row.reference, row.reference.partition("-")[0] + "-" + "0" * 26)

    answers = [call(owner, door, path, unknown=1)]  # Nothing of that id, and no such member.
    if not door.startswith("DELETE"):
        answers.append(call(owner, door, world.path(door), unknown=1))

    assert all(answer.status_code in (400, 404) for answer in answers)
    assert _lines() == []


class Stop(Exception):
    """The process dies just after the line was written."""


def test_s34_the_line_and_what_it_tells_of_stand_or_fall_together(owner, merchant, monkeypatch):
    attempt = make_settled(make_payment(merchant))

    def dies(*args: Any, **kwargs: Any) -> None:
        record(*args, **kwargs)
        raise Stop

    monkeypatch.setattr("tillgate.api.auditing.record", dies)
    path = f"{PAYMENTS}/{attempt.payment.reference}/refunds"
    answer = owner.post(path, {"amount": 1}, headers={"Idempotency-Key": "k"})

    assert answer.status_code == 500
    assert (Refund.objects.count(), AuditEntry.objects.count()) == (0, 0)


def test_a_repeat_under_an_idempotency_key_leaves_no_second_line(owner, merchant):
    payment = make_settled(make_payment(merchant)).payment
    path = f"{PAYMENTS}/{payment.reference}/refunds"

    for _ in range(2):
        assert owner.post(path, {"amount": 1}, headers={"Idempotency-Key": "k"}).status_code == 201
        assert owner.post(PAYMENTS, MINIMAL, headers={"Idempotency-Key": "k"}).status_code == 201

    assert [line.action for line in _lines()] == ["refund.created", "payment.created"]


def test_a_refunds_line_says_how_much_of_which_payment(owner, merchant):
    payment = make_settled(make_payment(merchant)).payment
    path = f"{PAYMENTS}/{payment.reference}/refunds"

    refund = owner.post(path, {"amount": 20, "reason": "broken"}, headers={"Idempotency-Key": "k"})

    (line,) = _lines()
    assert line.subject == refund.json()["refund"]["id"]
    assert line.data == {"mode": "test", "payment": payment.reference, "amount": "NGN 20.00"}


def test_what_a_key_creates_says_so_itself_and_costs_no_line(merchant, key):
    ApiClient(key).create()
    ApiClient().create()

    assert _lines() == []
    assert set(Payment.objects.values_list("created_by", flat=True)) == {"key", "guest"}


def test_a_key_is_named_by_its_first_characters(merchant, key, payment):
    ApiClient(key).post(f"{PAYMENTS}/{payment.reference}/cancel", {})

    (line,) = _lines()
    assert (line.actor_kind, line.actor, line.subject) == ("key", f"{key[:12]}…", payment.reference)


def test_an_export_is_recorded_with_what_was_asked_for_but_not_whom(owner, merchant, payment):
    answer = owner.get(
        f"{PAYMENTS}?customer_email=john@example.com&status=pending", headers={"Accept": "text/csv"}
    )

    assert payment.reference.encode() in b"".join(answer.streaming_content)
    (line,) = _lines()
    assert (line.action, line.data) == (
        "payments.exported",
        {"mode": "test", "filters": ["customer_email", "status"]},
    )


def test_reading_is_not_recorded(owner, merchant):
    world = make_world(merchant)

    for door in api_doors():
        if door.startswith("GET"):
            owner.get(world.path(door))

    assert _lines() == []


def test_no_secret_and_nobodys_address_of_a_customer_stands_in_a_line(owner, merchant):
    world = make_world(merchant)
    secrets = []
    for door in sorted(ACTIONS, reverse=True):  # What ends comes last.
        answer = call(owner, door, world.path(door))
        if answer.content and "secret" in answer.json().get("key", {}):
            secrets.append(answer.json()["key"]["secret"])

    told = str([list(line.__dict__.values()) for line in _lines()])
    assert len(secrets) == 2
    assert not [secret for secret in secrets if secret[12:] in told]
    assert "eve@example.net" not in told
    assert world.email not in told
    assert not [row.secret_sha256 for row in ApiKey.objects.all() if row.secret_sha256 in told]


@pytest.mark.parametrize(
    "change", ["UPDATE merchants_auditentry SET action = 'x'", "DELETE FROM merchants_auditentry"]
)
def test_s34_the_database_refuses_to_change_a_line(merchant, change):
    with transaction.atomic():
        record(Actor(kind="system", name="test"), merchant, "thing.done", "X-1")
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":  # The suite does without this one: see tests/conftest.py.
            for statement in protect("merchants_auditentry", "sqlite"):
                if "DELETE" in statement:
                    cursor.execute(statement)
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(change)

    assert AuditEntry.objects.get().action == "thing.done"


@pytest.fixture
def trail(merchant):
    """Three lines of two people, a minute apart."""
    with transaction.atomic():
        for name, action in (("ada", "key.created"), ("bob", "key.created"), ("ada", "refund.created")):
            record(Actor(kind="staff", name=name), merchant, action, "X-1", {"mode": "test"})
            clock.advance(60)
    return [line.reference for line in _lines()]


def _listed(caller: ApiClient, query: str = "") -> list[str]:
    return [line["id"] for line in caller.get(f"{AUDIT}{query}").json()["entries"]]


def test_the_trail_is_read_newest_first_in_pages(owner, trail):
    first = owner.get(f"{AUDIT}?limit=2").json()
    second = owner.get(first["next"].partition("http://127.0.0.1:8000")[2]).json()

    assert [line["id"] for page in (first, second) for line in page["entries"]] == trail[::-1]
    assert second["next"] is None
    assert first["entries"][0] | {"id": "", "created_at": ""} == {
        "id": "",
        "action": "refund.created",
        "actor": {"kind": "staff", "name": "ada"},
        "subject": "X-1",
        "address": None,
        "request_id": "",
        "data": {"mode": "test"},
        "created_at": "",
    }


def test_the_trail_can_be_asked_who_what_and_when(owner, trail):
    middle = AuditEntry.objects.get(reference=trail[1]).created_at.isoformat().replace("+00:00", "Z")

    assert _listed(owner, "?actor=ada") == [trail[2], trail[0]]
    assert _listed(owner, "?action=key.created") == [trail[1], trail[0]]
    assert _listed(owner, "?actor=ada&action=key.created") == [trail[0]]
    assert _listed(owner, f"?created_after={middle}") == [trail[2]]
    assert _listed(owner, f"?created_before={middle}") == [trail[0]]
    assert owner.get(f"{AUDIT}?subject=X-1").status_code == 400


def test_a_key_reads_nothing_of_the_other_modes_lines(owner, merchant):
    with transaction.atomic():
        for data in ({"mode": "test"}, {"mode": "live"}, {}):
            record(
                Actor(kind="staff", name="ada"), merchant, f"thing.{data.get('mode', 'none')}", "X-1", data
            )
    test, live = (ApiClient(create_key(merchant, NewKey(mode=mode))[1]) for mode in ("test", "live"))

    seen = [
        {line["action"] for line in caller.get(AUDIT).json()["entries"]} for caller in (test, live, owner)
    ]

    assert seen == [
        {"thing.test", "thing.none"},
        {"thing.live", "thing.none"},
        {"thing.test", "thing.live", "thing.none"},
    ]


def test_a21_the_trail_of_another_shop_is_another_trail(owner, trail, merchant):
    other = make_merchant()
    stranger = ApiClient(access_token(make_staff(other)))

    assert _listed(stranger) == []
    assert stranger.get(f"{AUDIT}?cursor=after.{trail[0]}").status_code == 400
