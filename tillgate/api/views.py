"""What all API views share."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from tillgate.api.caller import caller_of
from tillgate.api.permissions import Nobody
from tillgate.common.throttles import Admission, Policy, admit, come_in, go_out, shared
from tillgate.common.web import json_response


class ApiView(APIView):
    """Knows its methods before it knows its caller, whom `admits` lets in by method, and counts the calls of
    those who are not the merchant's own by the view's policies."""

    http_method_names = ["get", "head", "post"]
    admits: ClassVar[dict[str, BasePermission]] = {}
    throttles: ClassVar[dict[str, Policy]] = {}
    admission = Admission()
    _place: str | None = None

    def get_permissions(self) -> list[Any]:
        return [self.admits.get(method_of(self.request), Nobody())]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            go_out(self._place)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if str(request.method) not in self.allowed_methods:
            self.http_method_not_allowed(request)
        super().initial(request, *args, **kwargs)
        policy = self.throttles.get(method_of(request))
        if policy is not None and not caller_of(request).is_merchant:
            self._admit_guest(request, policy)

    def _admit_guest(self, request: Request, policy: Policy) -> None:
        self._place = come_in(request._request)
        more = shared(caller_of(request).merchant.pk) if policy.is_shared else ()
        self.admission = admit(request._request, policy, *more)

    def finalize_response(  # type: ignore[override]
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        for name, value in self.admission.headers.items():
            response.setdefault(name, value)
        return super().finalize_response(request, response, *args, **kwargs)  # type: ignore[arg-type]


def success(
    resource: str,
    body: object,
    message: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Return the envelope of a success: the resource by its name, status and one sentence."""
    envelope = {resource: body, "status": "success", "message": message}
    return json_response(envelope, status=status, headers=headers)


def method_of(request: Any) -> str:
    """HEAD is a GET whose body nobody wants."""
    return "GET" if request.method == "HEAD" else str(request.method)
