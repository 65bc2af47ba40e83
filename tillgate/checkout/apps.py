from django.apps import AppConfig


class CheckoutConfig(AppConfig):
    name = "tillgate.checkout"
    label = "checkout"
