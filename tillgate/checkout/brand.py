"""What a merchant's pages wear: its name, its logo, its colour.

The pages may hold no style of their own, so a colour is a small file. Files are named by what is in them:
a browser keeps them for good, and a change has another address.
"""

import hashlib
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.views import View

from tillgate.checkout.colors import style_of
from tillgate.common.errors import TooMany
from tillgate.common.throttles import READ, admit
from tillgate.common.web import error_response
from tillgate.merchants.models import Logo, Merchant

FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True, kw_only=True)
class Brand:
    """What the templates may know of a merchant. Without a logo its `initial` is shown."""

    name: str
    initial: str
    logo_url: str
    style_url: str


def brand_of(merchant: Merchant) -> Brand:
    """Return what a merchant's pages wear, without a statement."""
    style, logo = style_of(merchant.color), merchant.logo_sha256
    named = {"reference": merchant.reference}
    return Brand(
        name=merchant.name,
        initial=merchant.name[:1].upper(),
        logo_url=reverse("brand_logo", kwargs={**named, "sha256": logo}) if logo else "",
        style_url=reverse("brand_style", kwargs={**named, "version": _version(style)}) if style else "",
    )


class BrandFile(View):
    """A file of a merchant's that anybody may load."""

    http_method_names = ["get", "head"]

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        try:
            admit(request, READ)
        except TooMany as error:
            return error_response(request, error)
        response = super().dispatch(request, *args, **kwargs)
        if response.status_code == 200:
            response["Cache-Control"] = FOR_GOOD
        return response


class BrandStyle(BrandFile):
    """/brand/{MER-…}/{version}.css"""

    def get(self, request: HttpRequest, reference: str, version: str) -> HttpResponse:
        colors = Merchant.objects.filter(reference=reference).values_list("color", flat=True)
        style = style_of(colors.first() or "")
        if not style or version != _version(style):
            raise Http404
        return HttpResponse(style, content_type="text/css; charset=utf-8")


class BrandLogo(BrandFile):
    """/brand/{MER-…}/{sha256}"""

    def get(self, request: HttpRequest, reference: str, sha256: str) -> HttpResponse:
        logo = Logo.objects.filter(merchant__reference=reference, merchant__logo_sha256=sha256).first()
        if logo is None:
            raise Http404
        return HttpResponse(bytes(logo.content), content_type=logo.content_type)


def _version(style: str) -> str:
    return hashlib.sha256(style.encode()).hexdigest()[:16]
