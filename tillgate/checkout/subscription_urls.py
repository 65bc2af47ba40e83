from django.urls import re_path

from tillgate.checkout.actions import ACTIONS
from tillgate.checkout.subscriptions import ActionPage, SubscriptionPage

# Any text may stand for the token: a mistyped link gets the friendly 404, too.
urlpatterns = [
    re_path(r"^(?P<token>[^/]+)/?$", SubscriptionPage.as_view(), name="manage"),
    *(
        re_path(
            rf"^(?P<token>[^/]+)/{action.name}/?$",
            ActionPage.as_view(action=action),
            name=f"manage_{action.name}",
        )
        for action in ACTIONS
    ),
]
