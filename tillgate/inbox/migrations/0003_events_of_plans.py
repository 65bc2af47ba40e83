from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inbox', '0002_what_an_event_is_about'),
    ]

    operations = [
        migrations.AlterField(
            model_name='inboundevent',
            name='about',
            field=models.CharField(choices=[('payment', 'payment'), ('refund', 'refund'), ('dispute', 'dispute'), ('plan', 'plan'), ('other', 'other')], default='payment', max_length=8),
        ),
        migrations.AlterField(
            model_name='inboundevent',
            name='state',
            field=models.CharField(choices=[('stored', 'Stored'), ('applied', 'Applied'), ('parked', 'Parked'), ('kept', 'Kept')], default='stored', max_length=10),
        ),
    ]
