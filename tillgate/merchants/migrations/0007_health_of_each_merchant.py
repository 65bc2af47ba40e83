import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """How gateways do is learned anew within a minute: the table is made again instead of filled in."""

    dependencies = [
        ('merchants', '0006_unique_references'),
    ]

    operations = [
        migrations.DeleteModel(
            name='GatewayHealth',
        ),
        migrations.CreateModel(
            name='GatewayHealth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('gateway', models.CharField(max_length=20)),
                ('mode', models.CharField(choices=[('test', 'test'), ('live', 'live')], max_length=4)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('open_until', models.DateTimeField(null=True)),
                ('changed_at', models.DateTimeField()),
                ('merchant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='merchants.merchant')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('merchant', 'gateway', 'mode'), name='gateway_health_of_each')],
            },
        ),
    ]
