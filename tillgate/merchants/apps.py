from django.apps import AppConfig


class MerchantsConfig(AppConfig):
    name = "tillgate.merchants"
    label = "merchants"
