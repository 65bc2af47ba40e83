"""The doors of staff: who works here, as what, and who is signed in."""

import pytest

from tests.api.client import PAYMENTS, ApiClient
from tests.builders import access_token, make_merchant, make_staff, make_user
from tillgate.merchants.models import AuditEntry, Membership, User
from tillgate.merchants.roles import Role
from tillgate.merchants.services.keys import create_api_key
from tillgate.merchants.services.staff import invite, put_on_staff
from tillgate.payments.models import Payment

STAFF, MINE = "/api/v1/staff", "/api/v1/me/memberships"


@pytest.fixture
def ada(merchant):
    """The first owner."""
    return make_staff(merchant, "owner", "ada")


@pytest.fixture
def boss(ada):
    return ApiClient(access_token(ada))


def _add(boss, **members):
    return boss.post(STAFF, {"role": "manager", **members})


def _change(boss, reference, **members):
    return boss.patch(f"{STAFF}/{reference}", members, content_type="application/json")


def _of(user):
    return Membership.objects.get(user=user)


@pytest.mark.parametrize(
    "named",
    [{"username": "bob"}, {"username": "BOB"}, {"email": "bob@example.com"}, {"email": "Bob@Example.com"}],
)
def test_somebody_with_an_account_is_invited_and_may_act_once_they_accept(boss, payment, named):
    caller = ApiClient(access_token(make_user("bob")))

    made = _add(boss, **named)

    staff = made.json()["staff"]
    assert (made.status_code, staff["username"], staff["role"]) == (201, "bob", "manager")
    assert (made["Location"], staff["status"]) == (f"{STAFF}/{staff['id']}", "invited")
    assert boss.get(made["Location"]).json()["staff"] == staff
    assert caller.get(PAYMENTS).status_code == 403

    accepted = caller.post(f"{MINE}/{staff['id']}/accept", {})

    assert (accepted.status_code, accepted.json()["membership"]["role"]) == (200, "manager")
    assert boss.get(made["Location"]).json()["staff"]["status"] == "active"
    assert [p["id"] for p in caller.get(PAYMENTS).json()["payments"]] == [payment.reference]


def test_who_is_invited_elsewhere_goes_on_as_before(merchant):
    cashier = make_staff(merchant, "cashier", "cleo")
    caller, trap = ApiClient(access_token(cashier)), make_merchant(name="A trap")
    boss = ApiClient(access_token(make_staff(trap, "owner", "mallory")))

    _add(boss, username="cleo", role="owner")

    assert caller.create().status_code == 201
    assert Payment.objects.get().merchant == merchant
    me = caller.get("/api/v1/me").json()["me"]
    assert [one["name"] for one in me["merchants"]] == ["My shop"]
    assert [(one["name"], one["role"]) for one in me["invitations"]] == [("A trap", "owner")]


def test_nobody_accepts_or_declines_for_another(boss):
    make_user("bob")
    path = f"{MINE}/{_add(boss, username='bob').json()['staff']['id']}"
    another = ApiClient(access_token(make_user("eve")))

    answers = [caller.post(f"{path}/accept", {}) for caller in (boss, another)] + [another.delete(path)]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert Membership.objects.filter(accepted_at=None).count() == 1


def test_an_invitation_is_declined_and_staff_leave_but_not_the_last_owner(boss, ada, merchant):
    bob = make_user("bob")
    caller = ApiClient(access_token(bob))
    declined = caller.delete(f"{MINE}/{_add(boss, username='bob').json()['staff']['id']}")
    put_on_staff(merchant, bob, Role.CASHIER)
    left = caller.delete(f"{MINE}/{_of(bob).reference}")
    stays = boss.delete(f"{MINE}/{_of(ada).reference}")

    assert [declined.status_code, left.status_code, stays.status_code] == [204, 204, 409]
    told = AuditEntry.objects.order_by("pk").values_list("action", "actor", "merchant_id")
    assert list(told) == [
        ("staff.invited", "ada", merchant.pk),
        ("staff.declined", "bob", merchant.pk),
        ("staff.left", "bob", merchant.pk),
    ]


def test_an_acceptance_stands_in_that_merchants_trail_once(merchant):
    second = make_merchant(name="Another shop")
    bob = make_staff(merchant, "manager", "bob")
    invited = invite(second, bob, Role.AUDITOR)
    caller = ApiClient(access_token(bob))

    answers = [caller.post(f"{MINE}/{invited.reference}/accept", {}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    [line] = AuditEntry.objects.all()
    assert (line.action, line.actor_kind, line.actor) == ("staff.accepted", "staff", "bob")
    assert (line.merchant_id, line.data) == (second.pk, {"role": "auditor"})


def test_nothing_of_the_account_but_its_name_is_shown(boss):
    make_user("bob", first_name="Robert", email="secret@example.com")

    _add(boss, username="bob")

    assert "secret@example.com" not in boss.get(STAFF).content.decode()
    assert set(boss.get(STAFF).json()["staff"][0]) == {
        "id",
        "username",
        "role",
        "status",
        "second_factor",
        "created_at",
    }


def test_who_cannot_be_added_is_told_in_one_sentence_whatever_the_reason(boss):
    make_user("unconfirmed", confirmed=False)
    make_user("ended", is_active=False)
    named = [
        {"username": "nobody"},
        {"email": "nobody@example.com"},
        {"email": "unconfirmed@example.com"},
        {"email": "ended@example.com"},
        {"username": "ended"},
    ]

    answers = [_add(boss, **members) for members in named]

    told = {(answer.status_code, answer.json()["code"], answer.json()["message"]) for answer in answers}
    assert len(told) == 1
    assert next(iter(told))[:2] == (404, "account_not_found")
    assert Membership.objects.count() == 1


def test_a20_an_owner_does_not_learn_who_has_an_account_here(boss, settings):
    settings.TILLGATE_WEB_PROCESSES = 1

    answers = [_add(boss, email=f"guess-{n}@example.com").status_code for n in range(61)]

    assert (set(answers[:60]), answers[60]) == ({404}, 429)


@pytest.mark.parametrize(
    ("members", "at_fault"),
    [
        ({}, "username"),
        ({"username": "bob", "email": "bob@example.com"}, "username"),
        ({"username": ""}, "username"),
        ({"username": "bob", "role": "king"}, "role"),
        ({"username": "bob", "user": 1}, "user"),
        ({"username": "bob", "merchant": "MER-1"}, "merchant"),
        ({"username": "bob", "id": "STF-1"}, "id"),
    ],
)
def test_a16_what_cannot_be_is_refused_by_name(boss, members, at_fault):
    make_user("bob")

    answer = _add(boss, **members)

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [at_fault])


def test_who_works_here_already_is_changed_and_not_added_twice(boss, merchant):
    bob = make_staff(merchant, "cashier", "bob")

    again = _add(boss, username="bob")
    changed = _change(boss, _of(bob).reference, role="auditor")

    assert (again.status_code, again.json()["code"]) == (409, "already_on_staff")
    assert _of(bob).reference in again.json()["message"]
    assert (changed.status_code, changed.json()["staff"]["role"]) == (200, "auditor")
    assert _of(bob).role == "auditor"


def test_a_role_holds_from_the_next_request_on(boss, merchant, payment):
    bob = make_staff(merchant, "manager", "bob")
    caller = ApiClient(access_token(bob))
    cancel = f"{PAYMENTS}/{payment.reference}/cancel"
    _change(boss, _of(bob).reference, role="auditor")
    as_auditor = caller.post(cancel, {}).status_code
    boss.delete(f"{STAFF}/{_of(bob).reference}")

    assert (as_auditor, caller.get(PAYMENTS).status_code) == (403, 403)
    payment.refresh_from_db()
    assert payment.status == "pending"


def test_the_business_is_never_without_an_owner(boss, ada, merchant):
    mine = _of(ada).reference

    answers = [_change(boss, mine, role="manager"), boss.delete(f"{STAFF}/{mine}")]
    make_staff(merchant, "owner", "bob")
    left = boss.delete(f"{STAFF}/{mine}")

    assert [(a.status_code, a.json()["code"]) for a in answers] == [(409, "last_owner")] * 2
    assert left.status_code == 204
    assert boss.get(STAFF).status_code == 403


def test_an_owner_who_cannot_sign_in_any_more_is_none(boss, ada, merchant):
    bob = make_staff(merchant, "owner", "bob")
    User.objects.filter(pk=bob.pk).update(is_active=False)

    assert boss.delete(f"{STAFF}/{_of(ada).reference}").status_code == 409


def test_no_key_touches_the_staff_whatever_its_scopes(merchant, ada):
    caller = ApiClient(create_api_key(merchant, "test"))
    make_user("bob")

    answers = [
        caller.get(STAFF),
        _add(caller, username="bob"),
        caller.delete(f"{STAFF}/{_of(ada).reference}"),
    ]

    assert [(a.status_code, a.json()["code"]) for a in answers] == [(403, "forbidden")] * 3
    assert Membership.objects.count() == 1


def test_what_changed_stands_in_the_trail(boss, merchant):
    bob = make_user("bob")
    _add(boss, username="bob")
    reference = _of(bob).reference
    _change(boss, reference, role="cashier")
    boss.delete(f"{STAFF}/{reference}")

    lines = AuditEntry.objects.order_by("pk").values_list("action", "actor", "subject", "data")

    told = {"mode": "test", "username": "bob"}
    assert list(lines) == [
        ("staff.invited", "ada", reference, {**told, "role": "manager"}),
        ("staff.changed", "ada", reference, {**told, "was": "manager", "role": "cashier"}),
        ("staff.removed", "ada", reference, {**told, "was": "cashier"}),
    ]


def test_me_says_who_is_signed_in_and_what_they_may_do_where(boss, ada, merchant):
    second = make_merchant(name="Another shop")
    put_on_staff(second, ada, Role.CASHIER)

    me = boss.get("/api/v1/me").json()["me"]

    assert me["merchants"] == [
        {
            "id": merchant.reference,
            "name": "My shop",
            "role": "owner",
            "scopes": ["admin", "create", "read", "refund"],
            "membership": ada.memberships.get(merchant=merchant).reference,
        },
        {
            "id": second.reference,
            "name": "Another shop",
            "role": "cashier",
            "scopes": ["create", "today"],
            "membership": ada.memberships.get(merchant=second).reference,
        },
    ]
    assert (me["username"], me["email"], me["email_confirmed"], me["second_factor"]) == (
        "ada",
        "ada@example.com",
        True,
        False,
    )


def test_me_of_a_customer_names_no_merchant(merchant):
    me = ApiClient(access_token(make_user("cleo", confirmed=False))).get("/api/v1/me").json()["me"]

    assert (me["merchants"], me["email_confirmed"]) == ([], False)
