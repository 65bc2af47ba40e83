import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.client import MINIMAL, PAYMENTS, ApiClient
from tillgate.common import clock
from tillgate.events.services.listeners import listeners_to
from tillgate.merchants.services.merchants import default_merchant
from tillgate.payments.models import Payment

PUBLIC_MEMBERS = [
    "id",
    "customer_name",
    "customer_email",
    "amount",
    "currency",
    "status",
    "description",
    "gateway",
    "checkout_url",
    "return_url",
    "amount_refunded",
    "failure",
    "subscription",
    "late",
    "test",
    "created_by",
    "created_at",
    "expires_at",
    "completed_at",
]
KEY_MEMBERS = [
    *("merchant_reference", "metadata", "amount_received", "amount_surplus", "fee", "net"),
    *("surpluses", "disputes"),
]
LAGOS_NAMES = [
    "Adébáyọ̀ Ọlọ́runfẹ́mi",
    "محمد بن سلمان",
    "נועה כהן־לוי",
    "王小明",
    "Łukasz Żółć",
    "Nguyễn Thị Ánh",
    "🦊 Ada 👩🏽‍💻",
    "علی‌رضا",
    "O'Brien-Smith, Jr.",
    "=HYPERLINK(1)",
    "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    "प्रिया शर्मा",
    "X",
]
REFUSED_MEMBERS = [
    ("customer_name", "", "invalid_field"),
    ("customer_name", "   ", "invalid_field"),
    ("customer_name", "x" * 201, "invalid_field"),
    ("customer_name", None, "invalid_field"),
    ("customer_name", 5, "invalid_field"),
    ("customer_name", ["John"], "invalid_field"),
    ("customer_name", "John\r\nBcc: all@example.com", "invalid_field"),
    ("customer_name", "John\x00", "invalid_field"),
    ("customer_name", "John\x1b[31m", "invalid_field"),
    ("customer_name", "evil\u202etxt", "invalid_field"),
    ("customer_name", "evil\u2066txt", "invalid_field"),
    ("customer_name", "two\u2028lines", "invalid_field"),
    ("customer_name", "4084 0840 8408 4081", "card_data_not_accepted"),
    ("customer_email", "", "invalid_email"),
    ("customer_email", "john", "invalid_email"),
    ("customer_email", "john@", "invalid_email"),
    ("customer_email", "john@example.com,ada@example.com", "invalid_email"),
    ("customer_email", "John <john@example.com>", "invalid_email"),
    ("customer_email", "john@example.com\r\nBcc: all@example.com", "invalid_email"),
    ("customer_email", '"\x1b[31m"@example.com', "invalid_field"),
    ("customer_email", "4084084084084081@example.com", "card_data_not_accepted"),
    ("customer_email", f"{'a' * 64}@{'b' * 60}.{'c' * 63}.{'d' * 63}.com", "invalid_email"),
    ("customer_email", "a" * 60_000 + "@example.com", "invalid_email"),
    ("customer_email", None, "invalid_field"),
    ("currency", "ngn", "invalid_currency"),
    ("currency", "XXX", "invalid_currency"),
    ("currency", "NAIRA", "invalid_currency"),
    ("currency", 566, "invalid_field"),
    ("description", "x" * 501, "invalid_field"),
    ("description", "card 4084084084084081 please", "card_data_not_accepted"),
    ("description", None, "invalid_field"),
    ("gateway", 1, "invalid_field"),
    ("gateway", "x" * 255, "invalid_field"),
    ("expires_in", 299, "invalid_field"),
    ("expires_in", 30 * 86_400 + 1, "invalid_field"),
    ("expires_in", 2**63, "invalid_field"),
    ("expires_in", "600", "invalid_field"),
    ("expires_in", 600.5, "invalid_field"),
    ("expires_in", True, "invalid_field"),
    ("expires_in", None, "invalid_field"),
]
REFUSED_WITH_A_KEY = [
    ("merchant_reference", "", "invalid_field"),
    ("merchant_reference", "order 1", "invalid_field"),
    ("merchant_reference", "ordér-1", "invalid_field"),
    ("merchant_reference", "x" * 101, "invalid_field"),
    ("metadata", [], "invalid_field"),
    ("metadata", {"a": 1}, "invalid_field"),
    ("metadata", {"a": {"b": "c"}}, "invalid_field"),
    ("metadata", {"k" * 41: "v"}, "invalid_field"),
    ("metadata", {"k": "v" * 501}, "invalid_field"),
    ("metadata", {f"k{i}": "v" for i in range(51)}, "invalid_field"),
    ("metadata", {f"k{i}": "é" * 500 for i in range(17)}, "invalid_field"),
    ("metadata", {"k": "a\nb"}, "invalid_field"),
    ("metadata", {"card": "4084084084084081"}, "card_data_not_accepted"),
]


def _short(value: object) -> str:
    return ascii(value)[:30]


def test_the_minimal_request_is_answered_with_the_five_members(guest):
    raw = b'{"customer_name": "John Doe", "customer_email": "john@example.com", "amount": 50.00}'

    created = guest.post(PAYMENTS, raw)
    payment = created.json()["payment"]
    read = guest.get(f"{PAYMENTS}/{payment['id']}")

    assert created.status_code == 201
    assert created["Location"] == f"{PAYMENTS}/{payment['id']}"
    assert created.json()["status"] == "success"
    five = {"id": payment["id"], **json.loads(raw), "status": "pending"}
    assert five.items() <= read.json()["payment"].items()
    assert read.json()["message"] == "Payment details retrieved successfully."
    for answer in (created, read):
        assert b'"amount":50.00,' in answer.content
        assert b'"amount_refunded":0.00,' in answer.content


@pytest.mark.parametrize(
    ("currency", "sent", "written"),
    [
        ("XOF", "1500", b"1500"),
        ("USD", "10.5", b"10.50"),
        ("NGN", '"50.00"', b"50.00"),
        ("NGN", "0.01", b"0.01"),
        ("NGN", "9999999999.99", b"9999999999.99"),
        ("NGN", '"50"', b"50.00"),
        ("KES", "4.35", b"4.35"),
    ],
)
def test_an_amount_is_written_with_exactly_the_decimals_of_its_currency(guest, currency, sent, written):
    whose = '"customer_name": "J", "customer_email": "j@example.com"'
    body = f'{{{whose}, "currency": "{currency}", "amount": {sent}}}'

    answer = guest.post(PAYMENTS, body)

    assert answer.status_code == 201
    assert b'"amount":' + written + b"," in answer.content


def test_an_address_with_and_without_trailing_slash_is_one_route(guest, payment):
    assert guest.post(f"{PAYMENTS}/", MINIMAL).status_code == 201
    assert guest.get(f"{PAYMENTS}/{payment.reference}/").json()["payment"]["id"] == payment.reference
    assert guest.get("/api/v1/gateways/").status_code == 200
    assert guest.get(f"{PAYMENTS}/{payment.reference}//").status_code == 404


def test_a_guest_sees_the_public_members_and_no_others(guest):
    assert list(guest.create().json()["payment"]) == PUBLIC_MEMBERS


def test_a_key_sees_the_books_too(owner):
    answer = owner.create(merchant_reference="order-1", metadata={"table": "4"}).json()["payment"]

    assert list(answer) == PUBLIC_MEMBERS + KEY_MEMBERS
    assert answer["metadata"] == {"table": "4"}
    assert (answer["created_by"], answer["test"], answer["fee"]) == ("key", True, None)


@pytest.mark.parametrize("name", LAGOS_NAMES)
def test_a_real_name_in_any_script_is_kept(guest, name):
    created = guest.create(customer_name=name)

    read = guest.get(f"{PAYMENTS}/{created.json()['payment']['id']}")
    assert read.json()["payment"]["customer_name"] == name


@pytest.mark.parametrize(("member", "value", "code"), REFUSED_MEMBERS, ids=_short)
def test_a_member_that_cannot_be_is_refused_by_name(guest, member, value, code):
    answer = guest.create(**{member: value})

    assert answer.status_code == 400
    assert (answer.json()["code"], list(answer.json()["errors"])) == (code, [member])
    assert not Payment.objects.exists()


@pytest.mark.parametrize(("member", "value", "code"), REFUSED_WITH_A_KEY, ids=_short)
def test_a_merchants_member_that_cannot_be_is_refused_by_name(owner, member, value, code):
    answer = owner.create(**{member: value})

    assert answer.status_code == 400
    assert (answer.json()["code"], list(answer.json()["errors"])) == (code, [member])


@pytest.mark.parametrize("member", ["customer_name", "customer_email", "amount"])
def test_a_missing_member_is_named(guest, member):
    answer = guest.post(PAYMENTS, {name: value for name, value in MINIMAL.items() if name != member})

    assert answer.status_code == 400
    assert answer.json()["errors"] == {member: ["This member is required."]}
    assert answer.json()["code"] == "required"


def test_everything_that_is_wrong_is_told_at_once(guest):
    answer = guest.create(customer_name="", customer_email="nobody", amount=0, description="x" * 501)

    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"customer_name", "customer_email", "amount", "description"}
    assert answer.json()["code"] == "amount_too_small"


@pytest.mark.parametrize(
    "member",
    [
        field.name
        for field in Payment._meta.get_fields()
        if field.concrete
        and field.name
        not in (
            "customer_name",
            "customer_email",
            "currency",
            "description",
            "gateway",
            "merchant_reference",
            "metadata",
            "return_url",
        )
    ]
    + ["owner", "is_test", "paid_at", "test", "amount_paid", "__proto__", "customer_name ", "é"],
)
def test_what_a_caller_may_not_set_is_refused_by_name(guest, member):
    answer = guest.create(**{member: "completed"})

    assert answer.status_code == 400
    assert answer.json()["code"] == "unknown_member"
    assert list(answer.json()["errors"]) == [member]


def test_ten_thousand_unknown_members_get_a_short_answer(guest):
    answer = guest.post(PAYMENTS, b"{" + b",".join(b'"%d":0' % i for i in range(6_000)) + b"}")

    assert answer.status_code == 400
    assert len(answer.content) < 3_000


@pytest.mark.parametrize("member", [{"merchant_reference": "order-1"}, {"metadata": {"a": "b"}}])
def test_a_guest_cannot_send_what_is_the_merchants(guest, member):
    answer = guest.create(**member)

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == list(member)


def test_a_merchant_reference_is_used_once_and_is_free_in_the_other_mode(owner, stranger):
    assert owner.create(merchant_reference="order-1").status_code == 201

    again = owner.create(merchant_reference="order-1")

    assert (again.status_code, again.json()["code"]) == (409, "merchant_reference_taken")
    assert stranger.create(merchant_reference="order-1").json()["code"] == "no_gateway"


@pytest.mark.parametrize(
    "members", [{"gateway": "stripe"}, {"currency": "EUR"}, {"currency": "EUR", "gateway": "paystack"}]
)
def test_a_payment_that_no_gateway_could_take_is_refused(guest, members):
    answer = guest.create(**members)

    assert (answer.status_code, answer.json()["code"]) == (409, "no_gateway")
    assert not Payment.objects.exists()


def test_without_any_gateway_key_nothing_can_be_created(guest, settings):
    settings.PAYSTACK_SECRET_KEY = ""

    assert guest.create().json()["code"] == "no_gateway"
    assert guest.get("/api/v1/gateways").json()["gateways"] == []


def test_the_caller_may_pin_the_gateway(guest):
    assert guest.create(gateway="paystack").json()["payment"]["gateway"] == "paystack"


def test_the_merchants_own_limits_hold_for_their_currency(guest, merchant):
    merchant.limits = {"NGN": {"minimum_minor": 10_000, "maximum_minor": 20_000}}
    merchant.save(update_fields=["limits"])

    answers = {amount: guest.create(amount=amount) for amount in ("99.99", "100", "200.00", "200.01")}
    codes = {amount: answer.json().get("code") for amount, answer in answers.items()}

    assert codes == {"99.99": "amount_too_small", "100": None, "200.00": None, "200.01": "amount_too_large"}
    assert guest.create(amount="1", currency="USD").status_code == 201


def test_guests_may_be_kept_out(guest, owner, settings):
    settings.TILLGATE_GUEST_CREATE = "off"

    refused = guest.create()

    assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
    assert owner.create().status_code == 201


@pytest.mark.parametrize(("expires_in", "accepted"), [(300, True), (30 * 86_400, True)])
def test_the_caller_says_how_long_the_payment_waits(guest, expires_in, accepted):
    answer = guest.create(expires_in=expires_in).json()["payment"]

    payment = Payment.objects.get(reference=answer["id"])
    assert (payment.expires_at - payment.created_at).total_seconds() == expires_in
    assert answer["expires_at"].endswith("Z")


def test_a_guests_create_is_one_statement_and_no_transaction(guest, payment):
    with CaptureQueriesContext(connection) as queries:
        _warm_up()
    with CaptureQueriesContext(connection) as queries:
        assert guest.create().status_code == 201

    assert [query["sql"].split()[0] for query in queries] == ["INSERT"]


def test_a_create_with_a_key_also_reads_the_key(key):
    _warm_up()
    with CaptureQueriesContext(connection) as queries:
        assert ApiClient(key).create().status_code == 201

    assert [query["sql"].split()[0] for query in queries] == ["SELECT", "INSERT"]


def test_reading_a_payment_is_one_statement(guest, payment):
    _warm_up()
    with CaptureQueriesContext(connection) as queries:
        assert guest.get(f"{PAYMENTS}/{payment.reference}").status_code == 200

    assert len(queries) == 1


def _warm_up() -> None:
    """What a process reads once every few seconds, and not with each request."""
    default_merchant()
    clock.now()
    listeners_to(0, "test", "")
