from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "tillgate.common"
    label = "common"

    def ready(self) -> None:
        from tillgate.common import checks  # noqa: F401  # Registers the system checks.
