from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "tillgate.events"
    label = "events"

    def ready(self) -> None:
        from tillgate.events import checks  # noqa: F401  # Registers itself.
