from typing import Any

import pytest

from tests.api.client import MINIMAL, PAYMENTS, ApiClient
from tests.api.doors import APIS, api_doors, routes
from tests.builders import make_payment, make_subscription
from tillgate.api.views import ApiView
from tillgate.common import clock
from tillgate.merchants.models import ApiKey
from tillgate.merchants.services.keys import create_api_key
from tillgate.payments.models import Payment

# Every door that opens without a key. A route that is added must be put into one of these lists by hand.
ANONYMOUS = {
    "POST api/v1/payments",
    "GET api/v1/payments/<str:reference>",
    "POST api/v1/payments/<str:reference>/attempts",
    "GET api/v1/gateways",
    "GET api/v1/schema",
    "GET api/v1/docs",
    "GET api/v1/redoc",
}
WITH_KEY = {
    "GET api/v1/payments",
    "POST api/v1/payments/<str:reference>/cancel",
    "POST api/v1/payments/<str:reference>/resolve",
    "GET api/v1/payments/<str:reference>/timeline",
    "GET api/v1/payments/<str:reference>/refunds",
    "POST api/v1/payments/<str:reference>/refunds",
    "POST api/v1/payments/<str:reference>/surplus/<str:surplus>/refund",
    "POST api/v1/payments/<str:reference>/disputes/<str:dispute>/evidence",
    "GET api/v1/refunds/<str:reference>",
    "GET api/v1/subscriptions",
    "POST api/v1/subscriptions",
    "GET api/v1/subscriptions/<str:reference>",
    "PATCH api/v1/subscriptions/<str:reference>",
    "POST api/v1/subscriptions/<str:reference>/pause",
    "POST api/v1/subscriptions/<str:reference>/resume",
    "POST api/v1/subscriptions/<str:reference>/cancel",
    "GET api/v1/subscriptions/<str:reference>/preview",
    "GET api/v1/subscriptions/<str:reference>/payments",
    "GET api/v1/subscriptions/<str:reference>/timeline",
    "GET api/v1/payment-methods",
    "DELETE api/v1/payment-methods/<str:reference>",
    "GET api/v1/staff",
    "POST api/v1/staff",
    "GET api/v1/staff/<str:reference>",
    "PATCH api/v1/staff/<str:reference>",
    "DELETE api/v1/staff/<str:reference>",
    "GET api/v1/keys",
    "POST api/v1/keys",
    "GET api/v1/keys/<str:reference>",
    "DELETE api/v1/keys/<str:reference>",
    "POST api/v1/keys/<str:reference>/rotate",
    "GET api/v1/approvals",
    "GET api/v1/approvals/<str:reference>",
    "POST api/v1/approvals/<str:reference>/approve",
    "POST api/v1/approvals/<str:reference>/reject",
    "GET api/v1/audit",
    "GET api/v1/doctor",
    "GET api/v1/merchant",
    "PATCH api/v1/merchant",
    "PUT api/v1/merchant/logo",
    "DELETE api/v1/merchant/logo",
    "GET api/v1/gateway-accounts",
    "POST api/v1/gateway-accounts",
    "GET api/v1/gateway-accounts/<str:reference>",
    "DELETE api/v1/gateway-accounts/<str:reference>",
    "POST api/v1/gateway-accounts/<str:reference>/secrets",
    "POST api/v1/gateway-accounts/<str:reference>/forget-former",
    "GET api/v1/webhook-endpoints",
    "POST api/v1/webhook-endpoints",
    "GET api/v1/webhook-endpoints/<str:reference>",
    "PATCH api/v1/webhook-endpoints/<str:reference>",
    "DELETE api/v1/webhook-endpoints/<str:reference>",
    "POST api/v1/webhook-endpoints/<str:reference>/rotate-secret",
    "POST api/v1/webhook-endpoints/<str:reference>/test",
    "GET api/v1/events",
    "GET api/v1/events/<str:reference>",
    "GET api/v1/events/<str:reference>/deliveries",
    "POST api/v1/events/<str:reference>/redeliver",
}
# What only a person who is signed in may do.
WITH_LOGIN = {
    "GET api/v1/me",
    "GET api/v1/me/export",
    "GET api/v1/me/logins",
    "DELETE api/v1/me/logins",
    "DELETE api/v1/me/logins/<str:reference>",
    "DELETE api/v1/me/memberships/<str:reference>",
    "POST api/v1/me/memberships/<str:reference>/accept",
    "POST api/v1/me/proof",
    "POST api/v1/me/otp",
    "DELETE api/v1/me/otp",
    "POST api/v1/me/otp/confirm",
    "GET api/v1/me/payments",
    "GET api/v1/me/subscriptions",
    "POST api/v1/me/subscriptions/<str:reference>/stop",
    "POST dukka/api/initialize-payment",
    "GET dukka/api/payments-history",
    "POST dukka/api/stop-payment/<int:number>",
}
# Not of this API: the gateways' door is guarded by signatures, the customers' by the token in the address. A
# merchant's brand is for everyone; who may use an account's doors is in tests/api/accounts.
OTHER_DOORS = {
    "",
    "auth/users/me",
    "auth/users/activation",
    "auth/users/resend_activation",
    "auth/users/set_password",
    "auth/users/reset_password",
    "auth/users/reset_password_confirm",
    "auth/jwt/create",
    "auth/jwt/refresh",
    "auth/jwt/verify",
    "auth/jwt/logout",
    "api/token",
    "api/token/refresh",
    "account/activate/<str:uid>/<str:token>",
    "account/reset/<str:uid>/<str:token>",
    "api/v1/webhooks/<str:gateway>",
    "pay/^(?P<token>[^/]+)/?$",
    "pay/^(?P<token>[^/]+)/return/?$",
    "pay/^(?P<token>[^/]+)/link/?$",
    "pay/^(?P<token>[^/]+)/status/?$",
    "subscription/^(?P<token>[^/]+)/?$",
    "subscription/^(?P<token>[^/]+)/stop/?$",
    "subscription/^(?P<token>[^/]+)/pause/?$",
    "subscription/^(?P<token>[^/]+)/resume/?$",
    "subscription/^(?P<token>[^/]+)/method/?$",
    "subscription/^(?P<token>[^/]+)/forget/?$",
    "brand/^(?P<reference>MER-[0-9A-Z]{26})/(?P<version>[0-9a-f]{16})\\.css$",
    "brand/^(?P<reference>MER-[0-9A-Z]{26})/(?P<sha256>[0-9a-f]{64})$",
    "auth/users",
    "healthz",
    "readyz",
    "metrics",
}
OF_ONE_PAYMENT = [
    ("get", "", None),
    ("post", "/attempts", {}),
    ("post", "/cancel", {}),
    ("post", "/resolve", {"decision": "accept"}),
    ("get", "/timeline", None),
    ("get", "/refunds", None),
    ("post", "/refunds", {}),
    ("post", "/surplus/SUR-1/refund", {}),
    ("post", "/disputes/DIS-1/evidence", {"text": "x"}),
]
OF_ONE_SUBSCRIPTION = [
    ("get", "", None),
    ("patch", "", {"amount": 60}),
    ("post", "/pause", {}),
    ("post", "/resume", {}),
    ("post", "/cancel", {}),
    ("get", "/preview", None),
    ("get", "/payments", None),
    ("get", "/timeline", None),
]


def test_every_route_is_in_a_list_that_a_person_wrote():
    others = {route for route, _ in routes() if not route.startswith(APIS)}

    assert api_doors() == ANONYMOUS | WITH_KEY | WITH_LOGIN
    assert others | {"api/v1/webhooks/<str:gateway>"} == OTHER_DOORS


def test_the_lists_are_true(guest, payment):
    for door in ANONYMOUS | WITH_KEY | WITH_LOGIN:
        method, route = door.split()
        path = "/" + route.replace("<str:reference>", payment.reference).replace("<int:number>", "1")
        body = {} if method == "GET" else {"data": {"unknown": 1}, "content_type": "application/json"}
        answer = getattr(guest, method.lower())(path, **body)
        assert (answer.status_code == 401) == (door in WITH_KEY | WITH_LOGIN), door


def test_what_is_a_persons_own_no_key_and_no_guest_sees(guest, owner):
    for door in WITH_LOGIN:
        method, route = door.split()
        path = "/" + route.replace("<str:reference>", "LGN-1").replace("<int:number>", "1")
        answers = [getattr(caller, method.lower())(path) for caller in (guest, owner)]
        assert [answer.status_code for answer in answers] == [401, 403], door


def test_a_view_that_says_nothing_admits_nobody(rf, key, merchant):
    class Forgotten(ApiView):
        def get(self, request: Any) -> None:
            raise AssertionError("nobody gets here")

    view = Forgotten.as_view()

    assert view(rf.get("/")).status_code == 401
    assert view(rf.get("/", headers={"Authorization": f"Bearer {key}"})).status_code == 403


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer ",
        "Bearer sk_test_wrong",
        "Bearer sk_live_" + "x" * 43,
        "",
        " ",
        "Basic am9objpkb2U=",
        "sk_test_x",
        "Token sk_test_wrong",
        "Bearer " + "x" * 10_000,
        "Bearer \xe9\xff",
        "Bearer null",
        "Bearer ' OR 1=1 --",
    ],
)
@pytest.mark.parametrize("path", [PAYMENTS, "/api/v1/gateways"])
def test_a_wrong_key_is_refused_everywhere(merchant, authorization, path):
    answer = ApiClient().get(path, headers={"Authorization": authorization})

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer["WWW-Authenticate"] == 'Bearer realm="tillgate"'


def test_the_schemes_name_is_read_in_any_case(key):
    assert ApiClient().get(PAYMENTS, headers={"Authorization": f"bEARER {key}"}).status_code == 200


def test_a_revoked_key_opens_nothing(key):
    ApiKey.objects.update(revoked_at=clock.now())

    assert ApiClient(key).get(PAYMENTS).status_code == 401


@pytest.mark.parametrize("action", OF_ONE_PAYMENT)
@pytest.mark.parametrize("status", ["pending", "review", "completed"])
def test_another_merchant_sees_nothing(stranger, merchant, status, action):
    method, below, body = action
    paid = {"completed_at": clock.now(), "received_minor": 5_000} if status == "completed" else {}
    payment = make_payment(merchant, status=status, **paid)

    path = f"{PAYMENTS}/{payment.reference}{below}"
    hidden = getattr(stranger, method)(path, body)
    never_was = getattr(stranger, method)(path.replace(payment.reference, "PAY-" + "0" * 26), body)

    assert (hidden.status_code, never_was.status_code) == (404, 404)
    assert (
        hidden.json()["message"].replace(payment.reference, "PAY-" + "0" * 26) == never_was.json()["message"]
    )
    payment.refresh_from_db()
    assert payment.status == status


@pytest.mark.parametrize("action", OF_ONE_SUBSCRIPTION)
def test_another_merchant_and_another_mode_see_no_subscription(stranger, live_owner, merchant, action):
    method, below, body = action
    subscription = make_subscription(merchant)
    path, nobody = (
        f"/api/v1/subscriptions/{text}{below}" for text in (subscription.reference, "SUB-" + "0" * 26)
    )

    for caller in (stranger, live_owner):
        hidden, never_was = (
            getattr(caller, method)(url, body, content_type="application/json") for url in (path, nobody)
        )
        assert (hidden.status_code, never_was.status_code) == (404, 404)
        told = hidden.json()["message"].replace(subscription.reference, "SUB-" + "0" * 26)
        assert told == never_was.json()["message"]
    subscription.refresh_from_db()
    assert (subscription.status, subscription.sequence) == ("active", 0)


@pytest.mark.parametrize(
    "query", ["", "?customer_email=john@example.com", "?status=active", "?cursor=after.{}"]
)
def test_another_merchant_and_another_mode_list_no_subscription(stranger, live_owner, merchant, query):
    subscription = make_subscription(merchant)

    for caller in (stranger, live_owner):
        answer = caller.get("/api/v1/subscriptions" + query.format(subscription.reference))
        assert answer.json().get("subscriptions", []) == []


NOT_TAKEN = [
    *(("", method) for method in ("put", "delete", "patch", "options", "trace")),
    *(("/{}", method) for method in ("put", "delete", "post", "options")),
    *(("/{}/pause", method) for method in ("get", "put", "delete", "patch")),
    *(("/{}/preview", method) for method in ("post", "put", "delete", "patch")),
]


@pytest.mark.parametrize(("below", "method"), NOT_TAKEN)
def test_a_method_that_an_address_does_not_take_is_refused(owner, merchant, below, method):
    path = "/api/v1/subscriptions" + below.format(make_subscription(merchant).reference)

    answer = getattr(owner, method)(path)

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer["Allow"]


@pytest.mark.parametrize("action", OF_ONE_PAYMENT)
def test_a_key_of_one_mode_does_not_see_the_other_modes_payments(owner, live_owner, merchant, action):
    method, below, body = action
    live, test = make_payment(merchant, mode="live"), make_payment(merchant, mode="test")

    for caller, payment in ((owner, live), (live_owner, test)):
        assert getattr(caller, method)(f"{PAYMENTS}/{payment.reference}{below}", body).status_code == 404


@pytest.mark.parametrize(
    ("method", "below", "body"), [row for row in OF_ONE_PAYMENT if row[1] not in ("", "/attempts")]
)
def test_a_guest_may_read_and_pay_a_payment_but_nothing_else(guest, payment, method, below, body):
    assert getattr(guest, method)(f"{PAYMENTS}/{payment.reference}{below}", body).status_code == 401


@pytest.mark.parametrize(
    "query", ["", "?customer_email=john@example.com", "?cursor=after.{}", "?status=pending"]
)
def test_another_merchants_list_is_empty(stranger, payment, query):
    answer = stranger.get(PAYMENTS + query.format(payment.reference))

    assert answer.json().get("payments", []) == []
    export = stranger.get(PAYMENTS, headers={"Accept": "text/csv"})
    assert b"".join(export.streaming_content).count(b"\r\n") == 1


def test_a_list_holds_one_mode(owner, live_owner, merchant):
    live, test = make_payment(merchant, mode="live"), make_payment(merchant)

    assert [p["id"] for p in owner.get(PAYMENTS).json()["payments"]] == [test.reference]
    assert [p["id"] for p in live_owner.get(PAYMENTS).json()["payments"]] == [live.reference]


def test_a_live_keys_payment_is_live(live_owner, settings):
    settings.PAYSTACK_SECRET_KEY = "sk_live_not_a_real_key_0123456789abcdef"

    assert live_owner.create().json()["payment"]["test"] is False


@pytest.mark.parametrize(
    ("mode", "gateway_key", "test"), [("", "live", False), ("", "test", True), ("test", "test", True)]
)
def test_guests_pay_live_as_soon_as_a_live_gateway_key_is_there(guest, settings, mode, gateway_key, test):
    settings.TILLGATE_GUEST_MODE = mode
    settings.PAYSTACK_SECRET_KEY = f"sk_{gateway_key}_not_a_real_key_0123456789abcdef"

    assert guest.create().json()["payment"]["test"] is test


@pytest.mark.parametrize(
    "name",
    [
        "X-User",
        "X-Forwarded-User",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-Merchant",
        "Tillgate-Merchant",
        "X-Forwarded-Host",
        "X-HTTP-Method-Override",
        "X-Remote-User",
        "X-Real-IP",
        "Forwarded",
        "X-Api-Key",
        "Cookie",
    ],
)
def test_no_header_but_the_key_says_who_is_calling(guest, other_merchant, name):
    for value in (
        "1",
        other_merchant.name,
        str(other_merchant.pk),
        "DELETE",
        "/api/v1/payments",
        "sessionid=1",
    ):
        answer = guest.post(PAYMENTS, MINIMAL, headers={name: value})
        assert answer.status_code == 201
        assert "evil" not in answer.content.decode()

    assert set(Payment.objects.values_list("merchant__is_default", "created_by")) == {(True, "guest")}


@pytest.mark.parametrize(
    "reference",
    [
        "1",
        "PAY-1",
        "pay-" + "0" * 26,
        "PAY-" + "O" * 26,
        "PAY-" + "0" * 25,
        "REF-" + "0" * 26,
        "..",
        "%00",
        "PAY-%0a",
        "x" * 3_000,
    ],
    ids=lambda text: text[:12],
)
def test_a_guessed_id_is_a_uniform_404(guest, reference):
    answer = guest.get(f"{PAYMENTS}/{reference}")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert len(answer.content) < 400


def test_a_second_key_of_the_merchant_sees_the_same_payments(merchant, payment):
    second = ApiClient(create_api_key(merchant, "test"))

    assert second.get(f"{PAYMENTS}/{payment.reference}").status_code == 200
