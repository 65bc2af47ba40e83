from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("merchants", "0007_health_of_each_merchant")]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="lifetime_days",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="approval",
            name="subject",
            field=models.CharField(blank=True, max_length=30),
        ),
    ]
