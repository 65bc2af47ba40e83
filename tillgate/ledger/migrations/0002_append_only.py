from django.db import migrations

from tillgate.common.append_only import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [AppendOnly("ledger_entry")]
