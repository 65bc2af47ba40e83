from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "tillgate.api"
    label = "api"
