from django.apps import AppConfig
from django.db.models.signals import post_migrate


class MerchantsConfig(AppConfig):
    name = "tillgate.merchants"
    label = "merchants"

    def ready(self) -> None:
        from django.contrib.contenttypes.management import create_contenttypes

        from tillgate.merchants import checks  # noqa: F401  # Registers the system checks.

        # Roles are ours: nobody here is given Django's permissions, and nothing reads its content types.
        post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
        post_migrate.disconnect(create_contenttypes)
