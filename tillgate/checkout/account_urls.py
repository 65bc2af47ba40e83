from django.urls import path

from tillgate.checkout.accounts import ConfirmPage, ResetPage

# Any text may stand for the two: a mistyped link gets the friendly 404, too.
urlpatterns = [
    path("activate/<str:uid>/<str:token>", ConfirmPage.as_view(), name="account_activate"),
    path("reset/<str:uid>/<str:token>", ResetPage.as_view(), name="account_reset"),
]
