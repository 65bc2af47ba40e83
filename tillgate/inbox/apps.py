from django.apps import AppConfig


class InboxConfig(AppConfig):
    name = "tillgate.inbox"
    label = "inbox"

    def ready(self) -> None:
        from tillgate.events.services import follow
        from tillgate.inbox.jobs import forget_person

        follow(forget_person, types=("account.erased",), having="erased")
