"""What all API views share."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpResponse, HttpResponseBase
from rest_framework.request import Request
from rest_framework.views import APIView

from tillgate.common.throttles import Policy, admit
from tillgate.common.web import json_response


class ApiView(APIView):
    """Knows its methods before it knows its caller, and counts the calls of guests by the view's policies."""

    http_method_names = ["get", "head", "post"]
    throttles: ClassVar[dict[str, Policy]] = {}
    _throttle_headers: dict[str, str]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self._throttle_headers = {}
        method = str(request.method)
        if method not in self.allowed_methods:
            self.http_method_not_allowed(request)
        super().initial(request, *args, **kwargs)
        policy = self.throttles.get("GET" if method == "HEAD" else method)
        if policy is not None and request.auth is None:
            self._throttle_headers = admit(request._request, policy)

    def finalize_response(  # type: ignore[override]
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        for name, value in getattr(self, "_throttle_headers", {}).items():
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
