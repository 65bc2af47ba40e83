"""Two owners agree to the same refund at once, or somebody else sends the money back just then."""

from functools import partial

import pytest

from tests.builders import make_payment, make_settled, make_staff
from tests.races.conftest import race
from tillgate.common.errors import Conflict
from tillgate.merchants.errors import LastOwner
from tillgate.merchants.models import Approval, Membership, Merchant
from tillgate.merchants.roles import Role
from tillgate.merchants.services.approvals import ApprovalRequest
from tillgate.merchants.services.staff import change_role, take_off_staff
from tillgate.money import Money
from tillgate.payments.errors import ApprovalRequired
from tillgate.payments.models import Refund
from tillgate.payments.services.approvals import approve, reject, within_limit
from tillgate.payments.services.refunds import RefundOrder, create_refund

pytestmark = pytest.mark.django_db(transaction=True)
ALL = Money(5_000, "NGN")


def order(key):
    return RefundOrder(amount=ALL, reason="", idempotency_hash=key, request_hash="x")


def ask(payment, by, key="k-1"):
    """As the door does it; return the approval that it leads to."""
    wanted = order(key)
    request = ApprovalRequest(by=by, idempotency_hash=key, request_hash="x")
    with pytest.raises(ApprovalRequired) as refused:
        within_limit(payment.pk, request, lambda: create_refund(payment.pk, wanted))
    return refused.value.approval


@pytest.fixture
def shop(transactional_db, merchant):
    Merchant.objects.update(refund_limits={"NGN": 100})
    return merchant


@pytest.mark.parametrize("seed", range(4))
def test_s42_many_approvals_at_once_make_one_refund(shop, seed):
    owners = [make_staff(shop, "owner", f"owner-{n}") for n in range(3)]
    manager = make_staff(shop, "manager", "bob")
    payment = make_settled(make_payment(shop)).payment
    approval = Approval.objects.get(reference=ask(payment, manager))

    results = race(*[partial(approve, approval.pk, owner) for owner in owners * 2], seed=seed)

    assert all(isinstance(result, tuple) for result in results), results
    refund = Refund.objects.get()
    assert {decided.refund_reference for decided, _ in results} == {refund.reference}
    assert len({decided.decided_by_id for decided, _ in results}) == 1
    assert sum(is_new for _, is_new in results) == 1


@pytest.mark.parametrize("seed", range(4))
def test_s42_of_approving_and_rejecting_at_once_one_holds(shop, seed):
    owner, manager = make_staff(shop, "owner", "ada"), make_staff(shop, "manager", "bob")
    payment = make_settled(make_payment(shop)).payment
    approval = Approval.objects.get(reference=ask(payment, manager))

    results = race(partial(approve, approval.pk, owner), partial(reject, approval.pk, owner), seed=seed)

    approval.refresh_from_db()
    refused = [result for result in results if isinstance(result, Conflict)]
    assert len(refused) == 1
    assert Refund.objects.count() == (approval.status == "approved")


@pytest.mark.parametrize("seed", range(4))
def test_s42_a_refund_beside_the_approval_never_sends_more_back_than_came_in(shop, seed):
    owner, manager = make_staff(shop, "owner", "ada"), make_staff(shop, "manager", "bob")
    payment = make_settled(make_payment(shop)).payment
    approval = Approval.objects.get(reference=ask(payment, manager))

    results = race(
        partial(approve, approval.pk, owner), partial(create_refund, payment.pk, order("other")), seed=seed
    )

    assert len([result for result in results if isinstance(result, Conflict)]) == 1
    assert [refund.amount for refund in Refund.objects.all()] == [ALL]


def test_s42_one_request_sent_many_times_at_once_is_one_approval(shop):
    manager = make_staff(shop, "manager", "bob")
    payment = make_settled(make_payment(shop)).payment

    results = race(*[partial(ask, payment, manager)] * 6)

    assert set(results) == {Approval.objects.get().reference}


@pytest.mark.parametrize("seed", range(4))
def test_two_owners_who_take_each_other_off_at_once_leave_one(shop, seed):
    ada, bob = (make_staff(shop, "owner", name) for name in ("ada", "bob"))
    mine, theirs = (Membership.objects.get(user=user) for user in (ada, bob))

    results = race(partial(take_off_staff, theirs), partial(change_role, mine, Role.MANAGER), seed=seed)

    assert len([result for result in results if isinstance(result, LastOwner)]) == 1
    assert Membership.objects.filter(role="owner").count() == 1
