from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from tillgate.common.references import new_reference

EVERY_SCOPE = ["admin", "create", "read", "refund"]


def name_what_is_there(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Merchants and keys of earlier versions get a public id; a key may do what it could do before."""
    for model, prefix, more in (("Merchant", "MER", {}), ("ApiKey", "KEY", {"scopes": EVERY_SCOPE})):
        rows = apps.get_model("merchants", model).objects
        for pk in rows.filter(reference="").values_list("pk", flat=True):
            rows.filter(pk=pk).update(reference=new_reference(prefix), **more)


class Migration(migrations.Migration):
    dependencies = [("merchants", "0004_people")]

    operations = [migrations.RunPython(name_what_is_there, migrations.RunPython.noop)]
