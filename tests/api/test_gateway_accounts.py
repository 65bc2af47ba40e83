"""A merchant's own gateway accounts at the API: stored, shown without their secrets, and never another's."""

import json
from typing import Any

import pytest

from tests.api.client import ApiClient
from tests.builders import (
    access_token,
    make_account,
    make_attempt,
    make_attempt_in,
    make_dispute,
    make_payment,
    make_payment_in,
    make_refund,
    make_settled,
    make_staff,
    make_subscription,
)
from tests.environment import PAYSTACK_TEST_KEY
from tillgate.gateways.paypal.gateway import PayPalGateway
from tillgate.merchants.models import AuditEntry, Merchant, StoredAccount
from tillgate.merchants.roles import Scope
from tillgate.merchants.services.keys import NewKey, create_key
from tillgate.merchants.services.stored_accounts import add_account, replace_secrets
from tillgate.subscriptions.services.unused_accounts import remove_unused_account

URL = "/api/v1/gateway-accounts"
KEY, NEXT_KEY = "sk_test_of_the_other_shop", "sk_test_of_the_other_shop_next"
BODY: dict[str, Any] = {"gateway": "paystack", "mode": "test", "secrets": {"PAYSTACK_SECRET_KEY": KEY}}
LIVE_BODY = {**BODY, "mode": "live", "secrets": {"PAYSTACK_SECRET_KEY": "sk_live_of_the_other_shop"}}
BELOW = [
    ("get", "", None),
    ("delete", "", None),
    ("post", "/secrets", {"secrets": {"PAYSTACK_SECRET_KEY": NEXT_KEY}}),
    ("post", "/forget-former", {}),
]


@pytest.fixture
def account(other_merchant) -> StoredAccount:
    return make_account(other_merchant, KEY)


def act(caller, account, method, below, body):
    return getattr(caller, method)(f"{URL}/{account.reference}{below}", body, content_type="application/json")


def listed(caller) -> list[dict[str, Any]]:
    return list(caller.get(URL).json()["gateway_accounts"])


def test_an_account_is_stored_and_its_merchant_can_be_paid(stranger, other_merchant):
    assert stranger.create().json()["code"] == "no_gateway"

    answer = stranger.post(URL, BODY)

    told = answer.json()["gateway_account"]
    assert (answer.status_code, answer["Location"]) == (201, f"{URL}/{told['id']}")
    assert (told["gateway"], told["mode"], told["hint"], told["source"]) == (
        "paystack",
        "test",
        "shop",
        "stored",
    )
    assert (told["in_use"], told["has_former_secrets"]) == (True, False)
    assert stranger.create().status_code == 201
    assert stranger.get(answer["Location"]).json()["gateway_account"] == told == listed(stranger)[0]


def test_s32_no_answer_shows_a_secret(stranger, account):
    answers = [act(stranger, account, *row) for row in BELOW if row[0] != "delete"]
    answers += [stranger.get(URL), stranger.post(URL, BODY), stranger.post(URL, LIVE_BODY)]

    told = b"".join(answer.content for answer in answers).decode()
    assert KEY not in told
    assert "sk_live_of" not in told


def test_s32_the_trail_says_who_and_which_account_and_no_secret(stranger, other_merchant):
    reference = stranger.post(URL, BODY).json()["gateway_account"]["id"]
    for method, below, body in (*BELOW[2:], BELOW[1]):
        assert act(stranger, StoredAccount.objects.get(), method, below, body).status_code < 300

    lines = list(AuditEntry.objects.order_by("pk").values())
    assert [line["action"].partition(".")[2] for line in lines] == [
        "created",
        "secrets_replaced",
        "former_forgotten",
        "removed",
    ]
    assert {line["subject"] for line in lines} == {reference}
    assert {line["merchant_id"] for line in lines} == {other_merchant.pk}
    assert "sk_test_of" not in str(lines)


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"gateway": "stripe"}, "gateway"),
        ({"mode": "sandbox"}, "mode"),
        ({"secrets": {}}, "secrets.PAYSTACK_SECRET_KEY"),
        ({"secrets": {"PAYSTACK_SECRET_KEY": "changeme"}}, "secrets.PAYSTACK_SECRET_KEY"),
        (
            {"secrets": {**BODY["secrets"], "PAYSTACK_BASE_URL": "https://evil.example"}},
            "secrets.PAYSTACK_BASE_URL",
        ),
        ({"secrets": {"PAYSTACK_SECRET_KEY": None}}, "secrets"),
        ({"secrets": [KEY]}, "secrets"),
        ({"secrets": KEY}, "secrets"),
        ({"base_url": "https://evil.example"}, "base_url"),
        ({"merchant": "MER-1"}, "merchant"),
    ],
)
def test_what_is_wrong_is_refused_by_name(stranger, change, member):
    answer = stranger.post(URL, {**BODY, **change})

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [member]
    assert not StoredAccount.objects.exists()


def test_one_of_each_gateway_and_mode(stranger, account):
    answer = stranger.post(URL, {**BODY, "secrets": {"PAYSTACK_SECRET_KEY": NEXT_KEY}})

    assert (answer.status_code, answer.json()["code"]) == (409, "account_exists")
    assert account.reference in answer.json()["message"]


@pytest.mark.parametrize("secret", [KEY, PAYSTACK_TEST_KEY])
def test_a04_a_secret_of_somebody_else_is_refused(owner, stranger, account, secret):
    caller = owner if secret == KEY else stranger
    body = {"secrets": {"PAYSTACK_SECRET_KEY": secret}}

    path = URL if secret == KEY else f"{URL}/{account.reference}/secrets"
    answer = caller.post(path, {**BODY, **body} if path == URL else body)

    assert (answer.status_code, answer.json()["code"]) == (409, "account_taken")


def test_w12_replacing_and_forgetting_are_told(stranger, account):
    replaced = act(stranger, account, *BELOW[2]).json()["gateway_account"]
    forgotten = act(stranger, account, *BELOW[3]).json()["gateway_account"]

    assert (replaced["hint"], replaced["has_former_secrets"]) == ("next", True)
    assert (forgotten["hint"], forgotten["has_former_secrets"]) == ("next", False)


@pytest.mark.parametrize("action", BELOW)
def test_a21_another_merchant_sees_nothing(owner, account, action):
    hidden = act(owner, account, *action)
    never_was = act(owner, StoredAccount(reference="GAC-" + "0" * 26), *action)

    assert (hidden.status_code, never_was.status_code) == (404, 404)
    told = hidden.json()["message"].replace(account.reference, "GAC-" + "0" * 26)
    assert told == never_was.json()["message"]
    assert StoredAccount.objects.get().changed_at == account.changed_at
    assert account.reference not in json.dumps(listed(owner))


@pytest.mark.parametrize("action", BELOW)
def test_a_key_of_one_mode_has_nothing_to_do_with_the_others_accounts(
    stranger, other_merchant, settings, action
):
    settings.IS_LOCAL = settings.SECURE_SSL_REDIRECT = False
    live = ApiClient(create_key(other_merchant, NewKey(mode="live"))[1])
    assert live.post(URL, LIVE_BODY).status_code == 201

    answer = act(stranger, StoredAccount.objects.get(), *action)

    assert answer.status_code == 404
    assert (len(listed(stranger)), len(listed(live))) == (0, 1)


def test_a_test_key_stores_no_live_account(stranger, settings):
    settings.IS_LOCAL = settings.SECURE_SSL_REDIRECT = False

    answer = stranger.post(URL, LIVE_BODY)

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["mode"])


def test_who_is_signed_in_sees_both_modes(other_merchant, account, settings):
    settings.IS_LOCAL = settings.SECURE_SSL_REDIRECT = False
    caller = ApiClient(access_token(make_staff(other_merchant)))

    assert caller.post(URL, LIVE_BODY).status_code == 201
    assert {row["mode"] for row in listed(caller)} == {"test", "live"}


@pytest.mark.parametrize("scope", [Scope.READ, Scope.CREATE, Scope.REFUND])
@pytest.mark.parametrize("action", [("get", None, None), ("post", None, BODY), *BELOW])
def test_only_who_may_administer(other_merchant, account, scope, action):
    method, below, body = action
    caller = ApiClient(create_key(other_merchant, NewKey(mode="test", scopes=[scope]))[1])
    path = URL if below is None else f"{URL}/{account.reference}{below}"

    answer = getattr(caller, method)(path, body, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


def test_the_default_merchant_sees_what_the_environment_has(owner, stranger, account):
    [row] = listed(owner)

    assert (row["id"], row["source"], row["hint"]) == (None, "environment", PAYSTACK_TEST_KEY[-4:])
    assert [row["source"] for row in listed(stranger)] == ["stored"]


def test_a_stored_account_of_the_default_merchant_waits_behind_the_environments(owner, settings):
    answer = owner.post(URL, BODY)
    assert answer.json()["gateway_account"]["in_use"] is False
    assert "comes first" in answer.json()["message"]

    settings.PAYSTACK_SECRET_KEY = ""

    assert [(row["source"], row["in_use"]) for row in listed(owner)] == [("stored", True)]


# Removing.


def remove(caller, account):
    return act(caller, account, "delete", "", None)


def test_an_account_that_nothing_needs_is_removed(stranger, account, other_merchant):
    make_payment(other_merchant)  # Nobody has tried to pay it.
    make_attempt_in("failed", make_payment_in("expired", other_merchant), redirect_url="")
    make_payment_in("completed", other_merchant)

    assert remove(stranger, account).status_code == 204
    assert not StoredAccount.objects.exists()
    assert stranger.create().json()["code"] == "no_gateway"


def _open_try(merchant: Merchant) -> None:
    make_attempt(make_payment(merchant))


def _left_page(merchant: Merchant) -> None:
    make_attempt(make_payment(merchant), status="superseded")


def _review(merchant: Merchant) -> None:
    make_attempt_in("succeeded", make_payment_in("review", merchant))


def _refund(merchant: Merchant) -> None:
    paid = make_settled(make_payment(merchant))
    make_refund(paid.payment, paid)


def _dispute(merchant: Merchant) -> None:
    make_dispute(make_settled(make_payment(merchant)))


def _subscription(merchant: Merchant) -> None:
    make_subscription(merchant)


@pytest.mark.parametrize(
    ("begin", "words"),
    [
        (_open_try, "1 open tries"),
        (_left_page, "1 open tries"),
        (_review, "1 payments in review"),
        (_refund, "1 refunds"),
        (_dispute, "1 open disputes"),
        (_subscription, "1 subscriptions"),
    ],
)
def test_money_on_its_way_keeps_the_account(stranger, account, other_merchant, begin, words):
    begin(other_merchant)

    answer = remove(stranger, account)

    assert (answer.status_code, answer.json()["code"]) == (409, "account_in_use")
    assert words in answer.json()["message"]
    assert StoredAccount.objects.exists()


def test_money_of_others_keeps_no_account(stranger, account, merchant, other_merchant):
    for begin in (_open_try, _subscription):
        begin(merchant)
    make_attempt(make_payment(other_merchant, mode="live"))
    make_attempt(make_payment(other_merchant), gateway="paypal")
    make_subscription(other_merchant, status="canceled")
    make_subscription(other_merchant, collection="send_link")

    assert remove(stranger, account).status_code == 204


def test_an_account_that_waits_behind_the_environments_can_always_go(owner, merchant):
    owner.post(URL, BODY)
    _open_try(merchant)

    assert remove(owner, StoredAccount.objects.get()).status_code == 204


def test_what_was_given_other_secrets_meanwhile_is_what_is_asked(stranger, account, other_merchant):
    _open_try(other_merchant)

    replace_secrets(account.pk, {"PAYSTACK_SECRET_KEY": NEXT_KEY})

    assert remove(stranger, account).status_code == 409


def test_who_removes_what_was_removed_meanwhile_changes_nothing(account):
    for _ in range(2):
        remove_unused_account(account)

    assert not StoredAccount.objects.exists()


# Replacing while money is on its way.


def replace(caller, account, **body):
    return act(caller, account, "post", "/secrets", body)


@pytest.mark.parametrize("begin", [_open_try, _left_page, _review, _refund, _dispute])
def test_money_on_its_way_is_asked_about_at_no_other_account(stranger, account, other_merchant, begin):
    begin(other_merchant)
    next_secrets = {"PAYSTACK_SECRET_KEY": NEXT_KEY}

    refused = replace(stranger, account, secrets=next_secrets)
    kept = StoredAccount.objects.get()
    same = replace(stranger, account, secrets={"PAYSTACK_SECRET_KEY": KEY})
    said = replace(stranger, account, secrets=next_secrets, same_account=True)

    assert (refused.status_code, refused.json()["code"]) == (409, "account_in_use")
    assert "only if the new secret is of the same account at the gateway" in refused.json()["message"]
    assert (kept.secrets, kept.former_secrets) == (account.secrets, "")
    assert (same.status_code, said.status_code) == (200, 200)
    assert said.json()["gateway_account"]["hint"] == "next"


def test_what_is_no_secret_is_named_first(stranger, account, other_merchant):
    _open_try(other_merchant)

    assert replace(stranger, account, secrets={"PAYSTACK_SECRET_KEY": "changeme"}).status_code == 400


def test_another_paypal_client_is_another_account_whatever_is_said(stranger, other_merchant):
    secrets = {name: f"the-{name.lower()}-of-this-shop" for name in PayPalGateway.secrets}
    secrets["PAYPAL_WEBHOOK_ID"] = "8PT597110X687430LOTHER"
    account = add_account(other_merchant, "paypal", "test", secrets)
    make_attempt(make_payment(other_merchant), gateway="paypal")
    other_client = {**secrets, "PAYPAL_CLIENT_ID": "another-client-of-this-shop"}
    other_secret = {**secrets, "PAYPAL_CLIENT_SECRET": "another-secret-of-this-shop"}

    refused = replace(stranger, account, secrets=other_client, same_account=True)
    replaced = replace(stranger, account, secrets=other_secret)

    assert (refused.status_code, refused.json()["code"]) == (409, "account_in_use")
    assert "This PAYPAL_CLIENT_ID is another account's" in refused.json()["message"]
    assert replaced.status_code == 200
