from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('merchants', '0002_country_rules_and_health'),
    ]

    operations = [
        migrations.AddField(
            model_name='merchant',
            name='zone',
            field=models.CharField(default='Africa/Lagos', max_length=60),
        ),
    ]
