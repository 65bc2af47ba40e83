from django.db import migrations, models

from tillgate.common.append_only import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("merchants", "0005_references")]

    operations = [
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.UniqueConstraint(fields=("reference",), name="api_key_reference"),
        ),
        migrations.AddConstraint(
            model_name="merchant",
            constraint=models.UniqueConstraint(fields=("reference",), name="merchant_reference"),
        ),
        AppendOnly("merchants_auditentry"),
    ]
