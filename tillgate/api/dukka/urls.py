from django.urls import path

from tillgate.api.dukka import views
from tillgate.api.pages import for_browsers, pay_page, stop_page

urlpatterns = [
    path(
        "initialize-payment",
        for_browsers(pay_page, views.InitializePayment.as_view()),
        name="dukka-initialize-payment",
    ),
    path("payments-history", views.PaymentsHistory.as_view(), name="dukka-payments-history"),
    path(
        "stop-payment/<int:number>",
        for_browsers(stop_page, views.StopPayment.as_view()),
        name="dukka-stop-payment",
    ),
]
