import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inbox', '0005_events_of_the_default_merchant'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='inboundevent',
            name='inbound_event_dedupe',
        ),
        migrations.AlterField(
            model_name='inboundevent',
            name='merchant',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='merchants.merchant'),
        ),
        migrations.AddConstraint(
            model_name='inboundevent',
            constraint=models.UniqueConstraint(fields=('merchant', 'gateway', 'mode', 'dedupe_key'), name='inbound_event_once'),
        ),
    ]
