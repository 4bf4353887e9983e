from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("unions", "0002_merchants_and_cashiers")]

    operations = [
        migrations.AddIndex(
            model_name="union",
            index=models.Index(
                condition=models.Q(("is_active", False)), fields=["deactivated_at"], name="union_inactive"
            ),
        ),
    ]
