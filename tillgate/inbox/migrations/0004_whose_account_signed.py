import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inbox', '0003_events_of_plans'),
        ('merchants', '0006_unique_references'),
    ]

    operations = [
        # Without its foreign key, which comes last: PostgreSQL prepares each statement, and it is two in one.
        migrations.AddField(
            model_name='inboundevent',
            name='merchant',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='merchants.merchant'),
        ),
    ]
