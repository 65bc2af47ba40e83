"""Every door of the product."""

from django.urls import include, path
from django.views.generic import RedirectView

from tillgate.api.health import healthz, readyz
from tillgate.api.metrics import metrics

urlpatterns = [
    path("", RedirectView.as_view(url="/api/v1/docs", http_method_names=["get", "head"])),
    path("api/v1/webhooks/", include("tillgate.inbox.urls")),
    path("api/v1/", include("tillgate.api.urls")),
    path("", include("tillgate.api.accounts.urls")),
    path("account/", include("tillgate.checkout.account_urls")),
    path("dukka/api/", include("tillgate.api.dukka.urls")),
    path("pay/", include("tillgate.checkout.urls")),
    path("subscription/", include("tillgate.checkout.subscription_urls")),
    path("brand/", include("tillgate.checkout.brand_urls")),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
]

handler400 = "tillgate.api.errors.bad_request"
handler404 = "tillgate.api.errors.not_found"
handler500 = "tillgate.api.errors.server_error"
