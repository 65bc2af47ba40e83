from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "tillgate.payments"
    label = "payments"
