from django.apps import AppConfig


class InboxConfig(AppConfig):
    name = "tillgate.inbox"
    label = "inbox"
