"""What a business says of itself, and what follows of it for its payments."""

from typing import Any

import pytest

from tests.api.client import MINIMAL, PAYMENTS, ApiClient
from tests.builders import access_token, make_staff, make_subscription
from tillgate.merchants.models import AuditEntry, Merchant
from tillgate.merchants.roles import Scope
from tillgate.merchants.services.keys import NewKey, create_key
from tillgate.merchants.services.stored_accounts import add_account
from tillgate.subscriptions.models import Subscription

URL = "/api/v1/merchant"
NOTHING: dict[str, Any] = {
    "color": None,
    "logo_url": None,
    "country": None,
    "zone": "Africa/Lagos",
    "currencies": [],
    "limits": {},
    "refund_limits": {},
    "return_hosts": [],
}
CHANGES = {
    "name": "Ọjà Books",
    "color": "#0A7d4F",
    "country": "GH",
    "zone": "Africa/Accra",
    "currencies": ["GHS", "USD"],
    "limits": {"GHS": {"minimum": "5.00", "maximum": 10_000}, "USD": {"maximum": 700}},
    "refund_limits": {"GHS": 500},
    "return_hosts": ["Shop.example", "localhost:3000"],
}
TOLD = {
    **CHANGES,
    "color": "#0a7d4f",
    "limits": {"GHS": {"minimum": 5, "maximum": 10_000}, "USD": {"minimum": None, "maximum": 700}},
    "return_hosts": ["localhost:3000", "shop.example"],
}
WRONG: list[tuple[str, Any]] = [
    ("name", ""),
    ("name", "x" * 121),
    ("name", "Ada\u202eshop"),
    ("name", "Ada\r\nBcc: x"),
    ("name", None),
    ("color", "red"),
    ("color", "#fff"),
    ("color", "#0a7d4f;}body{display:none"),
    ("color", "#0a7d4g"),
    ("color", 7),
    ("country", "Ghana"),
    ("country", "gh"),
    ("zone", "Lagos"),
    ("zone", "../../etc/passwd"),
    ("currencies", ["XXXX"]),
    ("currencies", ["NGN", "NGN"]),
    ("currencies", ["NGX"]),
    ("currencies", "NGN"),
    ("limits", {"NGX": {}}),
    ("limits", {"NGN": {"minimum": "0.001"}}),
    ("limits", {"NGN": {"minimum": 0}}),
    ("limits", {"NGN": {"minimum": 6, "maximum": 5}}),
    ("limits", {"NGN": {"minimum_minor": 6}}),
    ("limits", {"NGN": 5}),
    ("refund_limits", {"NGN": -1}),
    ("refund_limits", {"NGN": None}),
    ("refund_limits", {"naira": 1}),
    ("return_hosts", ["https://shop.example"]),
    ("return_hosts", ["shop.example/path"]),
    ("return_hosts", ["*.shop.example"]),
    ("return_hosts", ["shop.example@evil.example"]),
    ("return_hosts", ["ѕhop.example"]),
    ("return_hosts", [""]),
    ("return_hosts", ["a.example."]),
    ("return_hosts", [f"{n}.example" for n in range(21)]),
    ("return_hosts", ["x" * 64]),
    ("is_default", True),
    ("id", "MER-1"),
    ("reference", "MER-1"),
    ("logo_sha256", "0"),
    ("guests_paused_until", None),
    ("gateway_rules", []),
]


def patch(caller, **members):
    return caller.patch(URL, members, content_type="application/json")


def test_the_default_merchant_needs_nothing_of_it(owner, merchant):
    told = owner.get(URL).json()["merchant"]

    assert {name: told[name] for name in NOTHING} == NOTHING
    assert (told["id"], told["name"], told["is_default"]) == (merchant.reference, "My shop", True)


def test_what_is_sent_is_changed_and_told(owner, merchant):
    told = patch(owner, **CHANGES).json()["merchant"]

    assert {name: told[name] for name in TOLD} == TOLD
    assert owner.get(URL).json()["merchant"] == told
    merchant.refresh_from_db()
    assert merchant.limits == {
        "GHS": {"minimum_minor": 500, "maximum_minor": 1_000_000},
        "USD": {"maximum_minor": 70_000},
    }
    assert merchant.refund_limits == {"GHS": 50_000}


@pytest.mark.parametrize("member", CHANGES)
def test_what_is_not_sent_stays(owner, member):
    patch(owner, **CHANGES)

    told = patch(owner, **{member: CHANGES[member]}).json()["merchant"]

    assert {name: told[name] for name in TOLD} == TOLD


@pytest.mark.parametrize("member", [name for name in NOTHING if name not in ("logo_url", "zone")])
def test_what_is_taken_away_is_as_it_was_at_first(owner, member):
    patch(owner, **CHANGES)

    assert patch(owner, **{member: NOTHING[member]}).json()["merchant"][member] == NOTHING[member]


@pytest.mark.parametrize(("member", "value"), WRONG)
def test_a16_what_it_cannot_be_is_refused_by_name(owner, merchant, member, value):
    before = Merchant.objects.values().get()

    answer = patch(owner, **{member: value})

    assert answer.status_code == 400
    assert [name.partition(".")[0] for name in answer.json()["errors"]] == [member]
    assert Merchant.objects.values().get() == before


def test_nothing_at_all_is_refused(owner):
    assert patch(owner).json()["code"] == "required"


def test_a21_every_merchant_sees_and_changes_itself_alone(owner, stranger, merchant, other_merchant):
    patch(stranger, name="Renamed", color="#123456")

    merchant.refresh_from_db()
    assert (merchant.name, merchant.color) == ("My shop", "")
    assert stranger.get(URL).json()["merchant"]["id"] == other_merchant.reference
    assert owner.get(URL).json()["merchant"]["id"] == merchant.reference


@pytest.mark.parametrize(
    ("scopes", "reads", "writes"),
    [((Scope.ADMIN,), 200, 200), ((Scope.READ,), 200, 403), ((Scope.CREATE, Scope.REFUND), 403, 403)],
)
def test_reading_takes_read_or_admin_and_changing_admin(merchant, scopes, reads, writes):
    caller = ApiClient(create_key(merchant, NewKey(mode="test", scopes=scopes))[1])

    assert caller.get(URL).status_code == reads
    assert patch(caller, name="x").status_code == writes
    assert caller.delete(f"{URL}/logo").status_code == (204 if writes == 200 else writes)


def test_a_change_leaves_a_line_in_the_trail(owner, merchant):
    patch(owner, name="Renamed")

    line = AuditEntry.objects.get()
    assert (line.action, line.subject, line.merchant_id) == (
        "merchant.changed",
        merchant.reference,
        merchant.pk,
    )


def test_a_refused_change_leaves_none(owner):
    patch(owner, name="")

    assert not AuditEntry.objects.exists()


def test_where_live_payments_are_taken_a_test_key_changes_nothing(owner, live_owner, merchant, settings):
    settings.IS_LOCAL = False
    settings.SECURE_SSL_REDIRECT = False
    assert patch(owner, name="Tried out").status_code == 200
    add_account(merchant, "paystack", "live", {"PAYSTACK_SECRET_KEY": "sk_live_of_this_shop"})

    refused = patch(owner, name="Stolen")

    assert (refused.status_code, refused.json()["code"]) == (403, "live_key_required")
    assert owner.get(URL).status_code == 200
    assert patch(live_owner, name="Mine").status_code == 200
    assert patch(ApiClient(access_token(make_staff(merchant))), name="Ours").status_code == 200


# What follows of it.


def test_the_first_currency_is_the_one_of_payments_that_name_none(owner, guest):
    patch(owner, currencies=["USD", "NGN"])

    assert guest.create().json()["payment"]["currency"] == "USD"
    assert guest.create(currency="NGN").json()["payment"]["currency"] == "NGN"


def test_a_currency_that_the_merchant_does_not_take_is_refused(owner, guest):
    patch(owner, currencies=["USD", "NGN"])

    answer = guest.create(currency="GHS")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_currency")
    assert answer.json()["errors"]["currency"] == ["My shop takes USD, NGN. Send one of them."]


def test_what_was_agreed_in_another_currency_can_still_be_changed(owner, merchant):
    subscription = make_subscription(merchant)
    patch(owner, currencies=["USD"])

    answer = owner.patch(
        f"/api/v1/subscriptions/{subscription.reference}", {"amount": 60}, content_type="application/json"
    )

    assert answer.status_code == 200


def test_gateways_are_listed_with_what_the_merchant_takes(owner, guest):
    patch(owner, currencies=["NGN", "EUR"])
    assert [g["currencies"] for g in guest.get("/api/v1/gateways").json()["gateways"]] == [["NGN"]]

    patch(owner, currencies=["EUR"])
    assert guest.get("/api/v1/gateways").json()["gateways"] == []
    assert guest.get("/api/v1/gateways?amount=5&currency=NGN").status_code == 400


@pytest.mark.parametrize(("amount", "code"), [(4.99, "amount_too_small"), (700.01, "amount_too_large")])
def test_amounts_are_held_to_the_merchants_limits(owner, guest, amount, code):
    patch(owner, limits={"NGN": {"minimum": 5, "maximum": 700}})

    assert guest.create(amount=amount).json()["code"] == code
    assert guest.create(amount=5).status_code == guest.create(amount=700).status_code == 201


def test_a22_the_way_back_leads_to_the_merchants_own_hosts(owner, guest):
    patch(owner, return_hosts=["shop.example"])

    assert guest.create(return_url="https://shop.example/thanks").status_code == 201
    assert guest.create(return_url="https://evil.example/").json()["code"] == "invalid_return_url"


def test_s25_the_installations_hosts_are_the_default_merchants(stranger, guest, other_merchant, settings):
    settings.TILLGATE_RETURN_HOSTS = ["main.example"]
    add_account(other_merchant, "paystack", "test", {"PAYSTACK_SECRET_KEY": "sk_test_of_the_other_shop"})
    patch(stranger, return_hosts=["other.example"])

    assert guest.create(return_url="https://main.example/").status_code == 201
    assert guest.create(return_url="https://other.example/").status_code == 400
    assert stranger.create(return_url="https://other.example/").status_code == 201
    refused = stranger.create(return_url="https://main.example/")
    assert (refused.status_code, "main.example" in refused.json()["message"]) == (400, False)


def test_a_new_subscription_follows_the_merchants_clock(owner, guest):
    patch(owner, zone="Asia/Kathmandu")
    guest.create(recurring={"interval": "monthly"})

    assert Subscription.objects.get().zone == "Asia/Kathmandu"


def test_a_create_with_a_key_of_another_merchant_costs_two_statements(other_merchant, other_key, statements):
    add_account(other_merchant, "paystack", "test", {"PAYSTACK_SECRET_KEY": "sk_test_of_the_other_shop"})
    caller = ApiClient(other_key)
    assert caller.create().status_code == 201  # Its first use is written down, and the accounts are read.

    with statements() as told:
        assert caller.post(PAYMENTS, MINIMAL).status_code == 201

    assert [statement.split()[0] for statement in told] == ["SELECT", "INSERT"]
