"""/api/v1/keys: the keys of a merchant's servers and pages."""

from datetime import timedelta

from django.http import HttpResponse
from rest_framework.request import Request

from tillgate.api import fields
from tillgate.api.auditing import audited, tell
from tillgate.api.caller import caller_of
from tillgate.api.listing import list_page, read_query
from tillgate.api.permissions import Guarded, Merchants
from tillgate.api.schema import documented
from tillgate.api.shapes.common import PageFilter
from tillgate.api.shapes.keys import KeyIn, KeyOut, KeyRotationIn, key_out
from tillgate.api.views import ApiView, success
from tillgate.api.visible import find_key, own_keys
from tillgate.merchants.models import ApiKey
from tillgate.merchants.roles import Scope
from tillgate.merchants.services.keys import NewKey, create_key, revoke_key, rotate_key

MAX_NAME = 80


class Keys(ApiView):
    """/api/v1/keys"""

    admits = {"POST": Guarded(), "GET": Merchants(Scope.ADMIN)}

    @documented("create_key")
    @audited("key.created")
    def post(self, request: Request) -> HttpResponse:
        caller = caller_of(request)
        new = _new_key(fields.parse(KeyIn, request.data))
        return _made(request, create_key(caller.merchant, new, by=caller.key))

    @documented("list_keys")
    def get(self, request: Request) -> HttpResponse:
        every, query = own_keys(caller_of(request)), read_query(request, PageFilter)
        return list_page(request, "keys", (every, every), query, _page_out)


class KeyDetail(ApiView):
    """/api/v1/keys/{id}"""

    http_method_names = ["get", "head", "delete"]
    admits = {"GET": Merchants(Scope.ADMIN), "DELETE": Merchants(Scope.ADMIN)}

    @documented("get_key")
    def get(self, request: Request, reference: str) -> HttpResponse:
        key = find_key(reference, caller_of(request))
        return success("key", key_out(key), "Key retrieved successfully.")

    @documented("revoke_key")
    @audited("key.revoked")
    def delete(self, request: Request, reference: str) -> HttpResponse:
        key = find_key(reference, caller_of(request))
        tell(request, key=key.prefix, mode=key.mode)
        revoke_key(key)
        return HttpResponse(status=204)


class KeyRotation(ApiView):
    """/api/v1/keys/{id}/rotate"""

    admits = {"POST": Guarded()}

    @documented("rotate_key")
    @audited("key.rotated")
    def post(self, request: Request, reference: str) -> HttpResponse:
        caller = caller_of(request)
        old = find_key(reference, caller)
        body = fields.parse(KeyRotationIn, request.data)
        tell(request, replaces=old.reference, overlap_hours=body.overlap_hours)
        overlap = timedelta(hours=body.overlap_hours)
        return _made(request, rotate_key(old.pk, overlap=overlap, by=caller.key))


def _new_key(body: KeyIn) -> NewKey:
    problems = fields.Problems()
    name = problems.check("name", lambda: fields.text(body.name, most=MAX_NAME))
    if body.publishable and body.scopes:
        problems.add("scopes", "A publishable key has none: it only creates payments. Leave this out.")
    elif not body.publishable and not body.scopes:
        problems.add("scopes", "Name at least one of create, refund, read and admin.", "required")
    problems.raise_if_any()
    assert name is not None
    return NewKey(
        mode=body.mode,
        scopes={Scope(word) for word in body.scopes},
        is_publishable=body.publishable,
        name=name,
        lifetime_days=body.expires_in_days,
    )


def _made(request: Request, made: tuple[ApiKey, str]) -> HttpResponse:
    key, secret = made
    tell(request, key=key.prefix, mode=key.mode, scopes=key.scopes, name=key.name)
    headers = {"Location": f"/api/v1/keys/{key.reference}"}
    message = "Key created. Keep the secret now: it is not shown again."
    return success("key", key_out(key, secret), message, status=201, headers=headers)


def _page_out(keys: list[ApiKey]) -> list[KeyOut]:
    return list(map(key_out, keys))
