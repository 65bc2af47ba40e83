from django.apps import AppConfig


class MerchantsConfig(AppConfig):
    name = "tillgate.merchants"
    label = "merchants"

    def ready(self) -> None:
        from tillgate.merchants import checks  # noqa: F401  # Registers the system checks.
