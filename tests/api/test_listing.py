import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.client import PAYMENTS
from tests.builders import make_payment
from tillgate.api.export import CELLS
from tillgate.api.shapes.payments import PaymentOut
from tillgate.common import clock

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    '=HYPERLINK("http://evil")',
    "=cmd|' /C calc'!A0",
]


@pytest.fixture
def seven(merchant):
    now = clock.now()
    # Three of them share one instant: the id decides then.
    return [make_payment(merchant, created_at=now - timedelta(minutes=max(0, i - 2))) for i in range(7)]


def _ids(answer):
    return [payment["id"] for payment in answer.json()["payments"]]


def _newest_first(payments):
    return [p.reference for p in sorted(payments, key=lambda p: (p.created_at, p.pk), reverse=True)]


def _export(caller, query=""):
    answer = caller.get(PAYMENTS + query, headers={"Accept": "text/csv"})
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode()
    return answer, list(csv.DictReader(io.StringIO(text)))


def test_the_newest_come_first_and_one_page_is_enough_for_few(owner, seven):
    answer = owner.get(PAYMENTS)

    assert _ids(answer) == _newest_first(seven)
    assert (answer.json()["next"], answer.json()["previous"]) == (None, None)
    assert "Link" not in answer


def test_following_next_shows_each_payment_once(owner, seven):
    seen, url = [], f"{PAYMENTS}?limit=2"
    while url:
        answer = owner.get(url)
        seen += _ids(answer)
        url = answer.json()["next"]

    assert seen == _newest_first(seven)


def test_previous_leads_back_the_same_way(owner, seven):
    first = owner.get(f"{PAYMENTS}?limit=3")
    second = owner.get(first.json()["next"])
    back = owner.get(second.json()["previous"])

    assert _ids(back) == _ids(first)
    assert _ids(owner.get(back.json()["next"])) == _ids(second)
    assert back.json()["previous"] is None


def test_pages_do_not_shift_while_payments_come_in(owner, seven, merchant):
    first = owner.get(f"{PAYMENTS}?limit=3")
    for _ in range(4):
        make_payment(merchant)

    second = owner.get(first.json()["next"])

    assert _ids(first) + _ids(second) == _newest_first(seven)[:6]
    assert len(_ids(owner.get(second.json()["previous"]))) == 3


def test_links_keep_the_filters_and_stand_in_the_header_too(owner, seven, settings):
    settings.TILLGATE_PUBLIC_URL = "https://pay.example"
    answer = owner.get(f"{PAYMENTS}?limit=2&status=pending")
    following = owner.get(answer.json()["next"].removeprefix("https://pay.example"))

    assert answer.json()["next"].startswith(
        f"https://pay.example{PAYMENTS}?limit=2&status=pending&cursor=after.PAY-"
    )
    assert answer["Link"] == f'<{answer.json()["next"]}>; rel="next"'
    assert following["Link"].count("rel=") == 2
    assert len(_ids(following)) == 2


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=failed", 1),
        ("status=completed", 0),
        ("gateway=paystack", 1),
        ("currency=XOF", 1),
        ("customer_email=JANE@example.com", 1),
        ("merchant_reference=order-1", 1),
        ("currency=ngn", 0),
        ("customer_email=%25", 0),
        ("merchant_reference=order-_", 0),
        ("status=pending&currency=XOF", 1),
        ("created_after=2999-01-01T00:00:00Z", 0),
        ("created_before=2999-01-01T00:00:00%2B01:00", 2),
        ("created_after=2020-01-01T00:00:00Z", 2),
        ("merchant_reference=null", 0),
    ],
)
def test_filters(owner, merchant, query, found):
    make_payment(merchant, status="failed", gateway="paystack", merchant_reference="order-1")
    make_payment(merchant, currency="XOF", customer_email="jane@example.com")

    answer = owner.get(f"{PAYMENTS}?{query}")

    assert len(_ids(answer)) == found


@pytest.mark.parametrize(
    ("query", "member"),
    [
        ("colour=red", "colour"),
        ("merchant_id=1", "merchant_id"),
        ("customer_email__contains=j", "customer_email__contains"),
        ("metadata__a=1", "metadata__a"),
        ("_connector=OR", "_connector"),
        ("order_by=amount", "order_by"),
        ("ordering=-id", "ordering"),
        ("status=paid", "status"),
        ("status=", "status"),
        ("status=null", "status"),
        ("created_after=NULL", "created_after"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=1_0", "limit"),
        ("limit=١", "limit"),
        ("limit=", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("created_after=yesterday", "created_after"),
        ("created_after=2026-01-01T00:00:00", "created_after"),
        ("created_after=0001-01-01T00:00:00%2B14:00", "created_after"),
        ("created_before=9999-12-31T23:59:59-14:00", "created_before"),
        ("created_after=2026-01-01", "created_after"),
        ("created_after=nan", "created_after"),
        ("created_after=1e400", "created_after"),
        ("created_after=99999999999999", "created_after"),
        ("gateway=%00", "gateway"),
        ("customer_email=" + "x" * 255, "customer_email"),
        ("status=pending&status=failed", "status"),
        ("currency=NGN&currency=NGN", "currency"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_by_name(owner, query, member):
    answer = owner.get(f"{PAYMENTS}?{query}")

    assert answer.status_code == 400, answer.content
    assert list(answer.json()["errors"]) == [member]


@pytest.mark.parametrize(
    "cursor", ["x", "", "after.", "after.PAY-0", "sideways.{}", "{}", "after.{}.", "after.1", "after.%00x"]
)
def test_a_cursor_that_we_did_not_make_is_refused(owner, payment, cursor):
    answer = owner.get(f"{PAYMENTS}?cursor={cursor.format(payment.reference)}")

    assert answer.status_code == 400
    assert answer.json()["code"] in ("invalid_cursor", "invalid_field")


def test_another_merchants_payment_is_no_cursor(stranger, payment):
    assert stranger.get(f"{PAYMENTS}?cursor=after.{payment.reference}").json()["code"] == "invalid_cursor"


@pytest.mark.parametrize(("query", "expected"), [("", 2), ("limit=5", 2), ("limit=5&status=pending", 2)])
def test_a_page_costs_the_same_however_long_it_is(owner, seven, query, expected):
    clock.now()
    with CaptureQueriesContext(connection) as queries:
        owner.get(f"{PAYMENTS}?{query}")

    assert len(queries) == expected  # The key, and the rows.


def test_a_later_page_also_reads_where_it_begins(owner, seven):
    url = owner.get(f"{PAYMENTS}?limit=2").json()["next"]
    with CaptureQueriesContext(connection) as queries:
        owner.get(url)

    assert len(queries) == 3
    assert not any("OFFSET" in query["sql"] or "COUNT" in query["sql"] for query in queries)


def test_a_page_has_fifty_rows_where_nothing_is_said(owner, merchant):
    for _ in range(51):
        make_payment(merchant)

    assert len(_ids(owner.get(PAYMENTS))) == 50


def test_the_export_streams_every_row_with_the_same_filters(owner, seven, merchant):
    make_payment(merchant, currency="XOF", amount_minor=1_500)

    answer, rows = _export(owner, "?limit=2")
    _, filtered = _export(owner, "?currency=XOF")

    assert answer.streaming
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="payments.csv"'
    assert answer["Cache-Control"] == "no-store"
    assert len(rows) == 8
    assert [row["amount"] for row in filtered] == ["1500"]


def test_the_export_has_every_member_that_a_cell_can_hold(owner):
    no_cells = ("failure", "metadata", "surpluses", "disputes")
    members = [name for name in PaymentOut.__struct_fields__ if name not in no_cells]

    assert list(CELLS) == members


def test_the_export_names_the_subscription(owner, merchant):
    make_payment(merchant, subscription_reference="SUB-1")
    make_payment(merchant)

    _, rows = _export(owner)

    assert {row["subscription"] for row in rows} == {"SUB-1", ""}


def test_the_export_refuses_what_the_list_refuses(owner):
    answer = owner.get(f"{PAYMENTS}?colour=red", headers={"Accept": "text/csv"})

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/json")


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_of_the_export_is_a_formula(owner, merchant, text):
    make_payment(merchant, customer_name=text, description=text, merchant_reference=text)

    _, (row,) = _export(owner)

    for column in ("customer_name", "description", "merchant_reference"):
        assert row[column] == f"'{text}"


def test_numbers_of_the_export_stay_numbers(owner, merchant):
    make_payment(
        merchant,
        status="completed",
        received_minor=100,
        fee_minor=5_000,
        completed_at=clock.now(),
        amount_minor=100,
    )

    _, (row,) = _export(owner)

    assert (row["amount"], row["net"], row["late"]) == ("1.00", "-49.00", "false")


def test_the_export_shows_no_token_but_the_checkouts_and_no_internal_id(owner, merchant):
    make_payment(merchant, pk=987_654_321, idempotency_hash="f" * 64, request_hash="e" * 64)

    _, (row,) = _export(owner)

    assert not {"98765432", "ffff", "eeee"} & {value[:8] for value in row.values()}
    assert row["id"].startswith("PAY-")
