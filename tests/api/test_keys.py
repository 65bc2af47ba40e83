"""The doors of keys: made, shown once, listed, replaced without a moment in between, ended at once."""

from datetime import datetime, timedelta

import pytest

from tests.api.client import PAYMENTS, ApiClient
from tests.builders import access_token, make_staff
from tillgate.common import clock
from tillgate.merchants.models import ApiKey
from tillgate.merchants.roles import KEY_SCOPES, Scope
from tillgate.merchants.services.keys import NewKey, create_key

KEYS = "/api/v1/keys"


@pytest.fixture
def boss(merchant):
    return ApiClient(access_token(make_staff(merchant)))


def _make(caller, **members):
    return caller.post(KEYS, {"mode": "test", "scopes": ["read"], **members})


def _with(merchant, *scopes, **fields):
    key, secret = create_key(merchant, NewKey(mode=fields.pop("mode", "test"), scopes=scopes, **fields))
    return key, ApiClient(secret)


def test_a_key_is_shown_once_and_works_at_once(boss, payment):
    made = _make(boss, name="Till of the shop", expires_in_days=90)
    key = made.json()["key"]
    secret = key.pop("secret")

    assert made.status_code == 201
    assert secret.startswith("sk_test_")
    assert len(secret) > 50
    assert made["Cache-Control"] == "no-store"
    assert key["prefix"] == secret[:12]
    assert (key["name"], key["scopes"], key["publishable"]) == ("Till of the shop", ["read"], False)
    assert ApiClient(secret).get(f"{PAYMENTS}/{payment.reference}/timeline").status_code == 200
    shown = boss.get(made["Location"])
    assert shown.json()["key"] | {"last_used_at": None} == key
    assert secret not in boss.get(KEYS).content.decode() + shown.content.decode()


def test_s17_only_the_hash_of_a_secret_is_stored(boss):
    secret = _make(boss).json()["key"]["secret"]

    stored = str(ApiKey.objects.values().get())

    assert secret not in stored
    assert secret[12:] not in stored


@pytest.mark.parametrize(
    ("members", "start"),
    [
        ({"mode": "test"}, "sk_test_"),
        ({"mode": "live"}, "sk_live_"),
        ({"mode": "test", "publishable": True, "scopes": []}, "pk_test_"),
        ({"mode": "live", "publishable": True, "scopes": []}, "pk_live_"),
    ],
)
def test_s17_every_kind_of_key_is_told_apart_by_how_it_begins(boss, members, start):
    assert _make(boss, **members).json()["key"]["secret"].startswith(start)


@pytest.mark.parametrize(
    ("members", "at_fault"),
    [
        ({"mode": "both"}, "mode"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["today"]}, "scopes"),
        ({"scopes": ["read", "everything"]}, "scopes"),
        ({"scopes": "read"}, "scopes"),
        ({"publishable": True}, "scopes"),
        ({"expires_in_days": 0}, "expires_in_days"),
        ({"expires_in_days": 3651}, "expires_in_days"),
        ({"name": "x" * 81}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"prefix": "sk_test_mine"}, "prefix"),
        ({"secret": "sk_test_mine"}, "secret"),
        ({"merchant": 2}, "merchant"),
        ({"is_publishable": True}, "is_publishable"),
        ({"revoked_at": None}, "revoked_at"),
    ],
)
def test_a16_what_cannot_be_is_refused_by_name(boss, members, at_fault):
    answer = _make(boss, **members)

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [at_fault])
    assert not ApiKey.objects.exists()


def test_an_owner_makes_any_key(boss):
    for mode in ("test", "live"):
        assert _make(boss, mode=mode, scopes=[scope.value for scope in KEY_SCOPES]).status_code == 201


@pytest.mark.parametrize(
    ("mode", "scopes", "allowed"),
    [
        ("test", ["admin"], True),
        ("test", ["create", "admin"], True),
        ("test", ["create", "create"], True),
        ("test", ["refund"], False),
        ("test", ["create", "refund"], False),
        ("test", ["read"], False),
        ("live", ["admin"], False),
        ("live", ["create"], False),
    ],
)
def test_s17_a_key_makes_no_key_that_may_do_more(merchant, mode, scopes, allowed):
    _, caller = _with(merchant, Scope.CREATE, Scope.ADMIN)

    answer = _make(caller, mode=mode, scopes=scopes)

    assert (answer.status_code, ApiKey.objects.count()) == ((201, 2) if allowed else (403, 1))
    assert allowed or answer.json()["code"] == "insufficient_scope"


@pytest.mark.parametrize(("mode", "status"), [("test", 201), ("live", 403)])
def test_s17_a_key_makes_publishable_ones_of_its_own_mode(merchant, mode, status):
    _, caller = _with(merchant, Scope.ADMIN)

    assert _make(caller, mode=mode, scopes=[], publishable=True).status_code == status


def test_s17_a_key_does_not_replace_one_that_may_do_more(merchant):
    _, caller = _with(merchant, Scope.ADMIN)
    strong, _ = _with(merchant, *KEY_SCOPES)

    answer = caller.post(f"{KEYS}/{strong.reference}/rotate", {})

    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    strong.refresh_from_db()
    assert (strong.expires_at, ApiKey.objects.count()) == (None, 2)


def test_a_key_knows_nothing_of_the_other_modes_keys(merchant):
    _, caller = _with(merchant, *KEY_SCOPES)
    live, _ = _with(merchant, *KEY_SCOPES, mode="live")

    answers = [
        caller.get(f"{KEYS}/{live.reference}"),
        caller.delete(f"{KEYS}/{live.reference}"),
        caller.post(f"{KEYS}/{live.reference}/rotate", {}),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert [key["mode"] for key in caller.get(KEYS).json()["keys"]] == ["test"]


def test_an_owner_sees_all_keys_with_those_that_have_ended(boss, merchant):
    good, _ = _with(merchant, Scope.READ)
    revoked, _ = _with(merchant, Scope.READ, mode="live")
    expired, _ = _with(merchant, Scope.READ, lifetime_days=1)
    boss.delete(f"{KEYS}/{revoked.reference}")
    ApiKey.objects.filter(pk=expired.pk).update(expires_at=clock.now() - timedelta(hours=1))

    listed = {key["id"]: key["ended_at"] for key in boss.get(KEYS).json()["keys"]}

    assert list(listed) == [expired.reference, revoked.reference, good.reference]
    assert [bool(ended) for ended in listed.values()] == [True, True, False]


def test_s17_an_ended_key_opens_nothing_from_the_next_request_on(boss, merchant):
    key, caller = _with(merchant, *KEY_SCOPES)
    assert caller.get(PAYMENTS).status_code == 200

    assert [boss.delete(f"{KEYS}/{key.reference}").status_code for _ in range(2)] == [204, 204]

    refused = caller.get(PAYMENTS)
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")


def test_a_key_ends_when_its_days_have_passed(merchant):
    _, caller = _with(merchant, *KEY_SCOPES, lifetime_days=30)
    clock.advance(30 * 86_400 - 60)
    before = caller.get(PAYMENTS).status_code
    clock.advance(61)

    assert (before, caller.get(PAYMENTS).status_code) == (200, 401)


def test_when_a_key_was_last_used_is_known_to_five_minutes(boss, merchant, statements):
    key, caller = _with(merchant, *KEY_SCOPES)

    def last_used():
        text = boss.get(f"{KEYS}/{key.reference}").json()["key"]["last_used_at"]
        return text and datetime.fromisoformat(text)

    assert last_used() is None
    caller.get(PAYMENTS)
    first = last_used()
    clock.advance(299)
    caller.get(PAYMENTS)
    assert last_used() == first
    clock.advance(2)
    caller.get(PAYMENTS)
    assert last_used() - first >= timedelta(seconds=301)


def test_a_keyed_create_is_two_statements_and_a_read_two(merchant, payment, statements):
    _, caller = _with(merchant, *KEY_SCOPES)
    ApiKey.objects.update(last_used_at=clock.now())

    with statements() as creating:
        assert caller.create().status_code == 201
    with statements() as reading:
        assert caller.get(f"{PAYMENTS}/{payment.reference}").status_code == 200

    assert (len(creating), len(reading)) == (2, 2)


def test_keys_are_rotated_without_a_refused_request(merchant):
    """The journey of a shop: make, roll out, and only then does the old one end."""
    key, old = _with(merchant, *KEY_SCOPES, name="shop")
    statuses = [old.create().status_code]

    made = old.post(f"{KEYS}/{key.reference}/rotate", {"overlap_hours": 24})
    new = ApiClient(made.json()["key"]["secret"])
    for _ in range(23):
        clock.advance(3_600)
        statuses += [old.create().status_code, new.create().status_code]
    clock.advance(3_601)

    assert set(statuses) == {201}
    assert (old.create().status_code, new.create().status_code) == (401, 201)
    shown = made.json()["key"]
    assert (made.status_code, shown["name"], shown["mode"]) == (201, "shop", "test")
    assert shown["scopes"] == ["admin", "create", "read", "refund"]


@pytest.mark.parametrize(("hours", "status"), [(0, 201), (720, 201), (721, 400), (-1, 400), ("1", 400)])
def test_the_overlap_is_up_to_thirty_days(boss, merchant, hours, status):
    key, old = _with(merchant, *KEY_SCOPES)

    answer = boss.post(f"{KEYS}/{key.reference}/rotate", {"overlap_hours": hours})

    assert answer.status_code == status
    assert old.get(PAYMENTS).status_code == (401 if hours == 0 else 200)


def test_without_a_word_the_overlap_is_a_day(boss, merchant):
    key, _ = _with(merchant, *KEY_SCOPES)
    boss.post(f"{KEYS}/{key.reference}/rotate", {})

    key.refresh_from_db()
    assert timedelta(hours=23, minutes=59) < key.expires_at - clock.now() <= timedelta(hours=24)


def test_what_has_ended_is_not_rotated(boss, merchant):
    key, _ = _with(merchant, *KEY_SCOPES)
    boss.delete(f"{KEYS}/{key.reference}")

    answer = boss.post(f"{KEYS}/{key.reference}/rotate", {})

    assert (answer.status_code, answer.json()["code"]) == (409, "key_ended")


def test_a_publishable_key_is_rotated_as_any(boss, merchant):
    key, _ = _with(merchant, is_publishable=True)

    made = boss.post(f"{KEYS}/{key.reference}/rotate", {}).json()["key"]

    assert (made["publishable"], made["scopes"]) == (True, [])
    assert made["secret"].startswith("pk_test_")
