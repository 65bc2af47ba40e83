"""/api/v1/audit: who did what, and from where."""

from django.db.models import Q
from django.http import HttpResponse
from rest_framework.request import Request

from tillgate.api.caller import caller_of
from tillgate.api.listing import created_within, filtered, list_page, read_query
from tillgate.api.permissions import Merchants
from tillgate.api.schema import documented
from tillgate.api.shapes.people import AuditEntryOut, AuditFilter, audit_entry_out
from tillgate.api.views import ApiView
from tillgate.merchants.models import AuditEntry
from tillgate.merchants.roles import Scope


class Audit(ApiView):
    """/api/v1/audit"""

    admits = {"GET": Merchants(Scope.ADMIN)}

    @documented("list_audit")
    def get(self, request: Request) -> HttpResponse:
        caller, query = caller_of(request), read_query(request, AuditFilter)
        every = AuditEntry.objects.filter(merchant_id=caller.merchant.pk)
        if caller.key is not None:  # A person has no mode; a key knows nothing of the other one.
            every = every.filter(Q(data__mode=caller.mode) | Q(data__mode__isnull=True))
        wanted = {"action": query.action, "actor": query.actor}
        chosen = filtered(every, wanted | created_within(query))
        return list_page(request, "entries", (every, chosen), query, _page_out)


def _page_out(entries: list[AuditEntry]) -> list[AuditEntryOut]:
    return list(map(audit_entry_out, entries))
