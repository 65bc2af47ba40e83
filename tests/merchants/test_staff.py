"""Who works for a merchant; never nobody as its owner."""

import pytest

from tests.builders import make_merchant, make_staff, make_user
from tillgate.common.errors import NotFound
from tillgate.merchants.errors import AlreadyOnStaff, LastOwner, NoSuchAccount
from tillgate.merchants.models import Membership
from tillgate.merchants.roles import Role
from tillgate.merchants.services.staff import (
    accept,
    change_role,
    find_account,
    invitations_of,
    invite,
    memberships_of,
    owners_of,
    put_on_staff,
    take_off_staff,
)


def test_one_person_has_one_role_at_each_merchant(merchant):
    bob = make_staff(merchant, "manager", "bob")
    put_on_staff(make_merchant(), bob, Role.CASHIER)
    put_on_staff(merchant, bob, Role.AUDITOR)

    assert [membership.role for membership in memberships_of(bob)] == ["auditor", "cashier"]


def test_who_works_here_already_is_not_added(merchant):
    bob = make_staff(merchant, "owner", "bob")

    with pytest.raises(AlreadyOnStaff, match="owner here already"):
        invite(merchant, bob, Role.CASHIER)

    assert Membership.objects.get().role == "owner"


def test_an_invitation_counts_for_nothing_until_it_is_accepted(merchant):
    ada, bob = make_staff(merchant, "owner", "ada"), make_user("bob")
    invited = invite(merchant, bob, Role.OWNER)

    assert (memberships_of(bob), owners_of(merchant)) == ([], [ada])
    assert invitations_of(bob) == [invited]
    with pytest.raises(LastOwner):
        take_off_staff(Membership.objects.get(user=ada))
    assert accept(invited).accepted_at == accept(invited).accepted_at

    assert ([one.role for one in memberships_of(bob)], invitations_of(bob)) == (["owner"], [])
    take_off_staff(Membership.objects.get(user=ada))
    assert owners_of(merchant) == [bob]


def test_an_owner_who_is_only_invited_may_decline(merchant):
    bob = make_user("bob")

    take_off_staff(invite(merchant, bob, Role.OWNER))

    assert invitations_of(bob) == []


def test_what_was_taken_back_cannot_be_accepted(merchant):
    invited = invite(merchant, make_user("bob"), Role.CASHIER)
    take_off_staff(invited)

    with pytest.raises(NotFound):
        accept(invited)


def test_the_operator_lets_somebody_work_at_once_also_who_was_invited(merchant):
    bob = make_user("bob")
    invite(merchant, bob, Role.CASHIER)

    put_on_staff(merchant, bob, Role.OWNER)

    assert owners_of(merchant) == [bob]


def test_the_last_owner_stays_one(merchant):
    ada = make_staff(merchant, "owner", "ada")
    mine = Membership.objects.get(user=ada)
    make_staff(make_merchant(), "owner", "somebody-elses")

    for leave in (
        lambda: take_off_staff(mine),
        lambda: change_role(mine, Role.MANAGER),
        lambda: put_on_staff(merchant, ada, Role.AUDITOR),
    ):
        with pytest.raises(LastOwner):
            leave()
    assert owners_of(merchant) == [ada]


def test_an_owner_leaves_when_there_is_another(merchant):
    ada, bob = (make_staff(merchant, "owner", name) for name in ("ada", "bob"))

    take_off_staff(Membership.objects.get(user=ada))

    assert owners_of(merchant) == [bob]


def test_what_was_read_before_somebody_became_an_owner_takes_no_owner_off(merchant):
    bob = make_staff(merchant, "manager", "bob")
    stale = Membership.objects.get(user=bob)
    put_on_staff(merchant, bob, Role.OWNER)

    with pytest.raises(LastOwner):
        take_off_staff(stale)


def test_who_has_left_meanwhile_is_told_so(merchant):
    make_staff(merchant, "owner", "ada")
    gone = Membership.objects.get(user=make_staff(merchant, "cashier", "bob"))
    take_off_staff(gone)

    for late in (lambda: take_off_staff(gone), lambda: change_role(gone, Role.OWNER)):
        with pytest.raises(NotFound):
            late()


@pytest.mark.parametrize("named", [{"username": "Bob"}, {"email": "BOB@example.com"}])
def test_an_account_is_found_in_any_case(db, named):
    bob = make_user("bob")

    assert find_account(**named) == bob


def test_an_account_is_found_by_its_email_as_mailboxes_are_compared(db):
    bob = make_user("bob", email="bob@straße.example", confirmed_email="bob@strasse.example")

    assert find_account(email=" Bob@STRASSE.example") == bob


@pytest.mark.parametrize(
    "named", [{}, {"username": ""}, {"username": "bo"}, {"email": "new@example.com"}, {"email": ""}]
)
def test_an_email_counts_when_it_was_confirmed(db, named):
    make_user("bob", email="new@example.com", confirmed=False)

    with pytest.raises(NoSuchAccount):
        find_account(**named)
