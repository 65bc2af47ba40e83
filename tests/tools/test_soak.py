"""The soak's judge: what the journal must say of a subscription."""

import pytest

from tools.soak.gateway import judge
from tools.soak.renewals import Report

ONE = {
    "reference": "SUB-A-1-1",
    "kind": "charge",
    "amount_minor": 5_000,
    "currency": "NGN",
    "ok": True,
    "initiated_by": "merchant",
}
FIRST_PAYMENT = {**ONE, "reference": "first-1", "initiated_by": "customer"}


def test_one_charge_of_each_subscription_is_right():
    truth = judge(["SUB-A", "SUB-B"], [FIRST_PAYMENT, ONE, {**ONE, "reference": "SUB-B-1-2"}])

    assert truth.is_right
    assert truth.charged == 2


def test_a_second_try_that_took_money_too_is_twice():
    truth = judge(["SUB-A"], [ONE, {**ONE, "reference": "SUB-A-1-2"}])

    assert truth.twice == ["SUB-A-1-"]
    assert not truth.is_right


def test_a_subscription_without_a_charge_is_missing():
    assert judge(["SUB-A", "SUB-B"], [ONE]).missing == ["SUB-B-1-"]


@pytest.mark.parametrize(
    "fields",
    [
        {"ok": False},
        {"amount_minor": 500_000},
        {"currency": "GHS"},
        {"kind": "reversal"},
        {"reference": "SUB-C-1-1"},
        {"reference": "SUB-A-2-1"},
    ],
)
def test_anything_else_that_we_did_at_the_gateway_is_strange(fields):
    truth = judge(["SUB-A"], [ONE, {**ONE, **fields}])

    assert truth.strange == [fields.get("reference", "SUB-A-1-1")]
    assert not truth.is_right


def test_the_report_names_what_went_wrong():
    truth = judge(["SUB-A", "SUB-B"], [ONE, {**ONE, "reference": "SUB-A-1-2"}])
    report = Report(
        truth=truth,
        kills=7,
        seconds=20,
        busy_s=10,
        moved_s=600,
        sent_again=2,
        longest_s=30,
        problems=["charged twice: SUB-A-1-"],
    )

    assert "0 charged once, 1 twice, 1 never" in str(report)
    assert str(report).endswith("charged twice: SUB-A-1-")
