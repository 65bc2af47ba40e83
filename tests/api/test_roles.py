"""Who may open which door: a table that a person wrote, held against the URL resolver and the doors."""

from datetime import timedelta

import pytest

from tests.api.client import PAYMENTS, ApiClient
from tests.api.doors import api_doors
from tests.api.world import make_callers
from tests.builders import access_token, make_payment, make_staff, make_subscription
from tillgate.common import clock

PEOPLE = ("owner", "manager", "cashier", "auditor")
KEYS = ("create", "refund", "read", "admin")  # Secret ones, each with one scope.
CALLERS = (*PEOPLE, *KEYS, "pk", "customer", "guest")
# A letter: this caller is let in, by what it may; a dot: 401 or 403, whatever it asks for.
MAY = {
    #                                                                    people   keys     others
    #                                                                    o m c a  c r r a  p c g
    "POST api/v1/payments": "                                            o m c .  c . . .  p c g",
    "GET api/v1/payments": "                                             o m c a  . . r .  . . .",
    "GET api/v1/payments/<str:reference>": "                             o m c a  c r r a  p c g",
    "POST api/v1/payments/<str:reference>/attempts": "                   o m c .  c . . .  p c g",
    "POST api/v1/payments/<str:reference>/cancel": "                     o m c .  c . . .  . . .",
    "POST api/v1/payments/<str:reference>/resolve": "                    o m . .  . r . .  . . .",
    "GET api/v1/payments/<str:reference>/timeline": "                    o m c a  . . r .  . . .",
    "GET api/v1/payments/<str:reference>/refunds": "                     o m . a  . . r .  . . .",
    "POST api/v1/payments/<str:reference>/refunds": "                    o m . .  . r . .  . . .",
    "POST api/v1/payments/<str:reference>/surplus/<str:surplus>/refund": "o m . .  . r . .  . . .",
    "POST api/v1/payments/<str:reference>/disputes/<str:dispute>/evidence": "o m . .  . r . .  . . .",
    "GET api/v1/refunds/<str:reference>": "                              o m . a  . . r .  . . .",
    "GET api/v1/subscriptions": "                                        o m c a  . . r .  . . .",
    "POST api/v1/subscriptions": "                                       o m c .  c . . .  . . .",
    "GET api/v1/subscriptions/<str:reference>": "                        o m c a  . . r .  . . .",
    "PATCH api/v1/subscriptions/<str:reference>": "                      o m c .  c . . .  . . .",
    "POST api/v1/subscriptions/<str:reference>/pause": "                 o m c .  c . . .  . . .",
    "POST api/v1/subscriptions/<str:reference>/resume": "                o m c .  c . . .  . . .",
    "POST api/v1/subscriptions/<str:reference>/cancel": "                o m c .  c . . .  . . .",
    "GET api/v1/subscriptions/<str:reference>/preview": "                o m c a  . . r .  . . .",
    "GET api/v1/subscriptions/<str:reference>/payments": "               o m c a  . . r .  . . .",
    "GET api/v1/subscriptions/<str:reference>/timeline": "               o m c a  . . r .  . . .",
    "GET api/v1/payment-methods": "                                      o m . a  . . r .  . . .",
    "DELETE api/v1/payment-methods/<str:reference>": "                   o m c .  c . . .  . . .",
    "GET api/v1/gateways": "                                             o m c a  c r r a  p c g",
    "GET api/v1/schema": "                                               o m c a  c r r a  p c g",
    "GET api/v1/docs": "                                                 o m c a  c r r a  p c g",
    "GET api/v1/redoc": "                                                o m c a  c r r a  p c g",
    "GET api/v1/me": "                                                   o m c a  . . . .  . c .",
    "GET api/v1/staff": "                                                o . . .  . . . .  . . .",
    "POST api/v1/staff": "                                               o . . .  . . . .  . . .",
    "GET api/v1/staff/<str:reference>": "                                o . . .  . . . .  . . .",
    "PATCH api/v1/staff/<str:reference>": "                              o . . .  . . . .  . . .",
    "DELETE api/v1/staff/<str:reference>": "                             o . . .  . . . .  . . .",
    "GET api/v1/keys": "                                                 o . . .  . . . a  . . .",
    "POST api/v1/keys": "                                                o . . .  . . . a  . . .",
    "GET api/v1/keys/<str:reference>": "                                 o . . .  . . . a  . . .",
    "DELETE api/v1/keys/<str:reference>": "                              o . . .  . . . a  . . .",
    "POST api/v1/keys/<str:reference>/rotate": "                         o . . .  . . . a  . . .",
    "GET api/v1/approvals": "                                            o m . a  . . r .  . . .",
    "GET api/v1/approvals/<str:reference>": "                            o m . a  . . r .  . . .",
    "POST api/v1/approvals/<str:reference>/approve": "                   o . . .  . . . .  . . .",
    "POST api/v1/approvals/<str:reference>/reject": "                    o . . .  . . . .  . . .",
    "GET api/v1/audit": "                                                o . . .  . . . a  . . .",
    "GET api/v1/doctor": "                                               o m . .  . . . a  . . .",
    "GET api/v1/merchant": "                                             o m . a  . . r a  . . .",
    "PATCH api/v1/merchant": "                                           o . . .  . . . a  . . .",
    "PUT api/v1/merchant/logo": "                                        o . . .  . . . a  . . .",
    "DELETE api/v1/merchant/logo": "                                     o . . .  . . . a  . . .",
    "GET api/v1/gateway-accounts": "                                     o . . .  . . . a  . . .",
    "POST api/v1/gateway-accounts": "                                    o . . .  . . . a  . . .",
    "GET api/v1/gateway-accounts/<str:reference>": "                     o . . .  . . . a  . . .",
    "DELETE api/v1/gateway-accounts/<str:reference>": "                  o . . .  . . . a  . . .",
    "POST api/v1/gateway-accounts/<str:reference>/secrets": "            o . . .  . . . a  . . .",
    "POST api/v1/gateway-accounts/<str:reference>/forget-former": "      o . . .  . . . a  . . .",
    "GET api/v1/webhook-endpoints": "                                    o . . .  . . . a  . . .",
    "POST api/v1/webhook-endpoints": "                                   o . . .  . . . a  . . .",
    "GET api/v1/webhook-endpoints/<str:reference>": "                    o . . .  . . . a  . . .",
    "PATCH api/v1/webhook-endpoints/<str:reference>": "                  o . . .  . . . a  . . .",
    "DELETE api/v1/webhook-endpoints/<str:reference>": "                 o . . .  . . . a  . . .",
    "POST api/v1/webhook-endpoints/<str:reference>/rotate-secret": "     o . . .  . . . a  . . .",
    "POST api/v1/webhook-endpoints/<str:reference>/test": "              o . . .  . . . a  . . .",
    "GET api/v1/events": "                                               o m . a  . . r .  . . .",
    "GET api/v1/events/<str:reference>": "                               o m . a  . . r .  . . .",
    "GET api/v1/events/<str:reference>/deliveries": "                    o m . a  . . r .  . . .",
    "POST api/v1/events/<str:reference>/redeliver": "                    o . . .  . . . a  . . .",
    "GET api/v1/me/export": "                                            o m c a  . . . .  . c .",
    "GET api/v1/me/logins": "                                            o m c a  . . . .  . c .",
    "DELETE api/v1/me/logins": "                                         o m c a  . . . .  . c .",
    "DELETE api/v1/me/logins/<str:reference>": "                         o m c a  . . . .  . c .",
    "DELETE api/v1/me/memberships/<str:reference>": "                    o m c a  . . . .  . c .",
    "POST api/v1/me/memberships/<str:reference>/accept": "               o m c a  . . . .  . c .",
    "POST api/v1/me/proof": "                                            o m c a  . . . .  . c .",
    "POST api/v1/me/otp": "                                              o m c a  . . . .  . c .",
    "DELETE api/v1/me/otp": "                                            o m c a  . . . .  . c .",
    "POST api/v1/me/otp/confirm": "                                      o m c a  . . . .  . c .",
    "GET api/v1/me/payments": "                                          o m c a  . . . .  . c .",
    "GET api/v1/me/subscriptions": "                                     o m c a  . . . .  . c .",
    "POST api/v1/me/subscriptions/<str:reference>/stop": "               o m c a  . . . .  . c .",
    "POST dukka/api/initialize-payment": "                               o m c a  . . . .  . c .",
    "GET dukka/api/payments-history": "                                  o m c a  . . . .  . c .",
    "POST dukka/api/stop-payment/<int:number>": "                        o m c a  . . . .  . c .",
}


def _is_let_in(door: str, caller: str) -> bool:
    return MAY[door].split()[CALLERS.index(caller)] != "."


def test_every_door_is_in_the_table():
    assert api_doors() == set(MAY)
    assert {len(row.split()) for row in MAY.values()} == {len(CALLERS)}


@pytest.mark.parametrize("door", sorted(MAY))
def test_s19_the_table_is_true(merchant, payment, door):
    method, route = door.split()
    path = "/" + route.replace("<str:reference>", payment.reference).replace("<int:number>", "1")
    body = {} if method == "GET" else {"data": {"unknown": 1}, "content_type": "application/json"}

    let_in = {}
    for name, caller in make_callers(merchant).items():
        answer = getattr(caller, method.lower())(path, **body)
        let_in[name] = answer.status_code not in (401, 403)
        if not let_in[name] and name != "guest":
            assert answer.json()["code"] in ("insufficient_scope", "forbidden")

    assert let_in == {name: _is_let_in(door, name) for name in CALLERS}


def test_every_refusal_names_what_is_missing_and_what_there_is(merchant):
    callers = make_callers(merchant)

    told = {
        name: callers[name].get("/api/v1/keys").json()["message"]
        for name in ("manager", "read", "pk", "customer")
    }

    assert told == {
        "manager": "This needs the scope admin. Your role is manager, which has: create, read, refund.",
        "read": "This needs the scope admin. This key has: read.",
        "pk": "This needs the scope admin. A publishable key only creates payments.",
        "customer": "This needs the scope admin. You work for no business here.",
    }


MERCHANTS_MEMBERS = {
    "amount_received",
    "amount_surplus",
    "disputes",
    "fee",
    "merchant_reference",
    "metadata",
    "net",
    "surpluses",
}


def test_s19_who_sees_which_members_of_a_payment(merchant, payment):
    path = f"{PAYMENTS}/{payment.reference}"
    public = set(ApiClient().get(path).json()["payment"])
    assert not public & MERCHANTS_MEMBERS

    more = {
        name: set(caller.get(path).json()["payment"]) - public
        for name, caller in make_callers(merchant).items()
    }

    sees_all = ("owner", "manager", "cashier", "auditor", "read")
    assert more == {name: MERCHANTS_MEMBERS if name in sees_all else set() for name in CALLERS}


@pytest.fixture
def cashier(merchant):
    return ApiClient(access_token(make_staff(merchant, "cashier")))


YESTERDAY = timedelta(hours=26)
OF_PAYMENT = [
    ("get", ""),
    ("get", "/timeline"),
    ("post", "/cancel"),
    ("post", "/attempts"),
]
OF_SUBSCRIPTION = [
    *(("get", below) for below in ("", "/preview", "/payments", "/timeline")),
    *(("post", below) for below in ("/pause", "/cancel")),
    ("patch", ""),
]


@pytest.mark.parametrize(("method", "below"), OF_PAYMENT)
def test_a_cashier_sees_and_touches_todays_payments_only(cashier, merchant, method, below):
    today, old = make_payment(merchant), make_payment(merchant, created_at=clock.now() - YESTERDAY)

    seen, hidden = (getattr(cashier, method)(f"{PAYMENTS}/{it.reference}{below}", {}) for it in (today, old))

    assert (seen.status_code not in (403, 404), hidden.status_code) == (True, 404)


@pytest.mark.parametrize(("method", "below"), OF_SUBSCRIPTION)
def test_a_cashier_sees_and_touches_todays_subscriptions_only(cashier, merchant, method, below):
    today, old = make_subscription(merchant), make_subscription(merchant, created_at=clock.now() - YESTERDAY)
    body = {"amount": 60} if method == "patch" else {}

    seen, hidden = (
        getattr(cashier, method)(
            f"/api/v1/subscriptions/{it.reference}{below}", body, content_type="application/json"
        )
        for it in (today, old)
    )

    assert (seen.status_code, hidden.status_code) == (200, 404)


@pytest.mark.parametrize("path", [PAYMENTS, "/api/v1/subscriptions"])
def test_a_cashiers_lists_hold_today_and_no_cursor_leads_further(cashier, merchant, path):
    make = make_payment if path == PAYMENTS else make_subscription
    today, old = make(merchant), make(merchant, created_at=clock.now() - YESTERDAY)

    listed = cashier.get(path).content
    beyond = cashier.get(f"{path}?cursor=before.{old.reference}")

    assert today.reference.encode() in listed
    assert old.reference.encode() not in listed
    assert (beyond.status_code, beyond.json()["code"]) == (400, "invalid_cursor")


def test_a_cashiers_export_holds_today(cashier, merchant):
    today, old = make_payment(merchant), make_payment(merchant, created_at=clock.now() - YESTERDAY)

    export = b"".join(cashier.get(PAYMENTS, headers={"Accept": "text/csv"}).streaming_content)

    assert today.reference.encode() in export
    assert old.reference.encode() not in export


def test_a_cashier_charges_no_card_that_was_saved_before(cashier, merchant):
    old = make_subscription(merchant).payment_method
    type(old).objects.update(created_at=clock.now() - YESTERDAY)
    body = {"customer_name": "John", "customer_email": "john@example.com", "amount": 1, "interval": "weekly"}

    answer = cashier.post("/api/v1/subscriptions", {**body, "payment_method": old.reference})

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["payment_method"])


# At noon in UTC the day began at 10:00 in Kiritimati, at 11:00 in Pago Pago, and at 23:00 in Lagos.
@pytest.mark.parametrize(
    ("zone", "hours"),
    [
        ("Pacific/Kiritimati", [12.0, 10.5]),
        ("Pacific/Pago_Pago", [12.0]),
        ("Africa/Lagos", [12.0, 10.5, 0.5]),
    ],
)
def test_today_is_the_merchants_day(cashier, merchant, zone, hours):
    type(merchant).objects.update(zone=zone)
    now = clock.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    clock.advance(int((midnight + timedelta(hours=12, seconds=1) - now).total_seconds()))
    made = {
        hour: make_payment(merchant, created_at=midnight + timedelta(hours=hour))
        for hour in (0.5, 10.5, 12.0)
    }

    listed = [payment["id"] for payment in cashier.get(PAYMENTS).json()["payments"]]

    assert listed == [made[hour].reference for hour in hours]


def test_what_staff_create_says_so_and_is_nobodys_history(cashier, payment):
    made = cashier.create(metadata={"till": "3"}).json()["payment"]

    assert (made["created_by"], made["metadata"]) == ("staff", {"till": "3"})
    created = type(payment).objects.get(reference=made["id"])
    assert created.account_id is None
