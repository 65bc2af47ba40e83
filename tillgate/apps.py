from django.apps import AppConfig


class TillgateConfig(AppConfig):
    name = "tillgate"
    label = "tillgate"
