from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def fill_in(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Until now, only the default merchant had accounts that an event could be signed by."""
    events = apps.get_model('inbox', 'InboundEvent').objects.filter(merchant=None)
    if events.exists():
        default = apps.get_model('merchants', 'Merchant').objects.get(is_default=True)
        events.update(merchant=default)


class Migration(migrations.Migration):
    """Apart from what changes the table: PostgreSQL refuses that while rows wait for their foreign key."""

    dependencies = [
        ('inbox', '0004_whose_account_signed'),
    ]

    operations = [
        migrations.RunPython(fill_in, migrations.RunPython.noop),
    ]
