"""/api/v1/staff and /api/v1/me: who works for a merchant, and who is signed in."""

from django.db import transaction
from django.http import HttpResponse
from msgspec import UNSET
from rest_framework.request import Request

from tillgate.api import fields
from tillgate.api.accounts.base import themselves, user_of
from tillgate.api.auditing import audited, tell
from tillgate.api.caller import caller_of
from tillgate.api.listing import list_page, read_query
from tillgate.api.permissions import Owners, SignedIn
from tillgate.api.schema import documented
from tillgate.api.shapes.common import PageFilter
from tillgate.api.shapes.people import RoleIn, StaffIn, StaffOut, me_out, staff_out, work_out
from tillgate.api.views import ApiView, success
from tillgate.api.visible import find_membership, find_own_membership
from tillgate.common.throttles import Policy, admit_subject
from tillgate.merchants.models import Membership, User
from tillgate.merchants.roles import Role
from tillgate.merchants.services.audit import record
from tillgate.merchants.services.staff import (
    accept,
    change_role,
    find_account,
    invitations_of,
    invite,
    memberships_of,
    take_off_staff,
)

# An owner needs to find a colleague, not who else has an account on this installation.
LOOK_UPS = Policy(
    name="staff-look-ups",
    calls=60,
    window_s=3600,
    says="Too many look-ups of accounts. Come back in {wait_s} s.",
)


class Me(ApiView):
    """/api/v1/me"""

    admits = {"GET": SignedIn()}

    @documented("get_me")
    def get(self, request: Request) -> HttpResponse:
        user = caller_of(request).user
        assert user is not None
        return success("me", me_out(user, memberships_of(user), invitations_of(user)), "Signed in.")


class MyMembership(ApiView):
    """/api/v1/me/memberships/{id}"""

    http_method_names = ["delete"]
    admits = {"DELETE": SignedIn()}

    @documented("leave_staff")
    @transaction.atomic
    def delete(self, request: Request, reference: str) -> HttpResponse:
        found = find_own_membership(reference, user_of(request))
        take_off_staff(found)
        action = "staff.left" if found.accepted_at else "staff.declined"
        record(themselves(request), found.merchant, action, found.reference, {"was": found.role})
        return HttpResponse(status=204)


class MyMembershipAccept(ApiView):
    """/api/v1/me/memberships/{id}/accept"""

    http_method_names = ["post"]
    admits = {"POST": SignedIn()}

    @documented("accept_staff")
    @transaction.atomic
    def post(self, request: Request, reference: str) -> HttpResponse:
        found = find_own_membership(reference, user_of(request))
        accepted = accept(found)
        if found.accepted_at is None:
            told = {"role": accepted.role}
            record(themselves(request), accepted.merchant, "staff.accepted", accepted.reference, told)
        message = f"You work for {accepted.merchant.name} as {accepted.role}."
        return success("membership", work_out(accepted), message)


class Staff(ApiView):
    """/api/v1/staff"""

    admits = {"POST": Owners(), "GET": Owners()}

    @documented("add_staff")
    @audited("staff.invited")
    def post(self, request: Request) -> HttpResponse:
        caller, body = caller_of(request), fields.parse(StaffIn, request.data)
        admit_subject(LOOK_UPS, str(caller.merchant.pk))
        user, role = _account(body), Role(body.role)
        membership = invite(caller.merchant, user, role)
        tell(request, username=user.username, role=role.value)
        headers = {"Location": f"/api/v1/staff/{membership.reference}"}
        message = f"{user.username} is invited as {role.value}, and works here once they have accepted."
        return success("staff", staff_out(membership), message, status=201, headers=headers)

    @documented("list_staff")
    def get(self, request: Request) -> HttpResponse:
        every = Membership.objects.filter(merchant=caller_of(request).merchant).select_related("user")
        return list_page(request, "staff", (every, every), read_query(request, PageFilter), _page_out)


class StaffDetail(ApiView):
    """/api/v1/staff/{id}"""

    http_method_names = ["get", "head", "patch", "delete"]
    admits = {"GET": Owners(), "PATCH": Owners(), "DELETE": Owners()}

    @documented("get_staff")
    def get(self, request: Request, reference: str) -> HttpResponse:
        membership = find_membership(reference, caller_of(request))
        return success("staff", staff_out(membership), "Staff retrieved successfully.")

    @documented("change_staff")
    @audited("staff.changed")
    def patch(self, request: Request, reference: str) -> HttpResponse:
        found = find_membership(reference, caller_of(request))
        body = fields.parse(RoleIn, request.data)
        tell(request, username=found.user.username, was=found.role, role=body.role)
        changed = change_role(found, Role(body.role))
        return success("staff", staff_out(changed), f"The role is {changed.role} from now on.")

    @documented("remove_staff")
    @audited("staff.removed")
    def delete(self, request: Request, reference: str) -> HttpResponse:
        found = find_membership(reference, caller_of(request))
        tell(request, username=found.user.username, was=found.role)
        take_off_staff(found)
        return HttpResponse(status=204)


def _account(body: StaffIn) -> User:
    problems = fields.Problems()
    if (body.username is UNSET) == (body.email is UNSET):
        problems.add("username", "Send username or email: one of the two.", "required")
    problems.raise_if_any()
    if body.email is not UNSET:
        return find_account(email=body.email)
    return find_account(username=str(body.username))


def _page_out(memberships: list[Membership]) -> list[StaffOut]:
    return list(map(staff_out, memberships))
