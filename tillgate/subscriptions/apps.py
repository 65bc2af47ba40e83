from django.apps import AppConfig


class SubscriptionsConfig(AppConfig):
    name = "tillgate.subscriptions"
    label = "subscriptions"

    def ready(self) -> None:
        from tillgate.events.services import follow
        from tillgate.subscriptions import checks  # noqa: F401  # Registers itself.
        from tillgate.subscriptions.jobs import FOLLOWED, follow_payment

        follow(follow_payment, types=FOLLOWED, having="subscription")
