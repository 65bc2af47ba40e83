"""The API's own description: the schema, and two ways to read it, with assets of our own."""

from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView

from tillgate.api.permissions import Anyone

METHODS = ["get", "head"]
# The two viewers style themselves at run time; no script but our own files runs.
viewer_policy = method_decorator(
    csp_update({"style-src": ["'unsafe-inline'"], "img-src": ["data:"], "worker-src": ["'self'", "blob:"]}),
    name="dispatch",
)


class Schema(SpectacularAPIView):
    """/api/v1/schema"""

    http_method_names = METHODS
    permission_classes = [Anyone]
    authentication_classes: list[type] = []


@viewer_policy
class SwaggerUi(SpectacularSwaggerSplitView):
    """/api/v1/docs"""

    http_method_names = METHODS
    permission_classes = [Anyone]
    authentication_classes: list[type] = []


@viewer_policy
class Redoc(SpectacularRedocView):
    """/api/v1/redoc"""

    http_method_names = METHODS
    template_name = "api/redoc.html"  # The library's own asks another company for its fonts.
    permission_classes = [Anyone]
    authentication_classes: list[type] = []
