"""What a merchant writes down about a dispute."""

from django.http import HttpResponse
from rest_framework.request import Request

from tillgate.api import fields
from tillgate.api.auditing import audited, tell
from tillgate.api.caller import caller_of
from tillgate.api.permissions import Merchants
from tillgate.api.schema import documented
from tillgate.api.shapes.returns import EvidenceIn, dispute_out
from tillgate.api.views import ApiView, success
from tillgate.api.visible import find_dispute, find_visible
from tillgate.merchants.roles import Scope
from tillgate.payments.services.disputes import keep_evidence

MAX_EVIDENCE = 10_000


class DisputeEvidence(ApiView):
    """/api/v1/payments/{id}/disputes/{dispute_id}/evidence"""

    admits = {"POST": Merchants(Scope.REFUND)}

    @documented("keep_evidence")
    @audited("dispute.evidence_kept")
    def post(self, request: Request, reference: str, dispute: str) -> HttpResponse:
        found = find_dispute(find_visible(reference, caller_of(request)), dispute)
        tell(request, dispute=found.reference)
        kept = keep_evidence(found, _text(fields.parse(EvidenceIn, request.data)))
        message = "Evidence kept, in place of any before. The gateway takes it in its own dashboard."
        return success("dispute", dispute_out(kept), message)


def _text(body: EvidenceIn) -> str:
    problems = fields.Problems()
    text = problems.check("text", lambda: _lines(body.text))
    problems.raise_if_any()
    assert text is not None
    return text


def _lines(text: str) -> str:
    """Each line is read as a name is: none can be forged."""
    if not 1 <= len(text.strip()) <= MAX_EVIDENCE:
        raise fields.FieldError(f"Send 1 to {MAX_EVIDENCE:,} characters.")
    return "\n".join(fields.text(line, most=MAX_EVIDENCE) for line in text.splitlines()).strip()
