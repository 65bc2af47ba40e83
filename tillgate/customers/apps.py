from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "tillgate.customers"
    label = "customers"
