from django.urls import re_path

from tillgate.checkout.brand import BrandLogo, BrandStyle

MERCHANT = r"^(?P<reference>MER-[0-9A-Z]{26})"
urlpatterns = [
    re_path(rf"{MERCHANT}/(?P<version>[0-9a-f]{{16}})\.css$", BrandStyle.as_view(), name="brand_style"),
    re_path(rf"{MERCHANT}/(?P<sha256>[0-9a-f]{{64}})$", BrandLogo.as_view(), name="brand_logo"),
]
