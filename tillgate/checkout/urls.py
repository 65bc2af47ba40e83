from django.urls import re_path

from tillgate.checkout.views import CheckoutPage, LinkPage, PaymentNews, ReturnPage

# Any text may stand for the token: a mistyped link gets the friendly 404, too.
urlpatterns = [
    re_path(r"^(?P<token>[^/]+)/?$", CheckoutPage.as_view(), name="checkout"),
    re_path(r"^(?P<token>[^/]+)/return/?$", ReturnPage.as_view(), name="checkout_return"),
    re_path(r"^(?P<token>[^/]+)/link/?$", LinkPage.as_view(), name="checkout_link"),
    re_path(r"^(?P<token>[^/]+)/status/?$", PaymentNews.as_view(), name="checkout_news"),
]
