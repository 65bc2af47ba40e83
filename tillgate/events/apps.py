from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "tillgate.events"
    label = "events"
