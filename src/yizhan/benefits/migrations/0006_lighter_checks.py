import re
from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).parents[1] / "sql"
CONSTRAINTS = {
    "redemption": ("redemption_ended_since", "redemption_amounts_are_not_negative"),
    "ledgertransaction": ("transaction_kind_is_known",),
}


def as_they_were(*names: str) -> str:
    """The functions of 0005 by these names, over what is there now."""
    before = (SQL / "0005_redeem.sql").read_text(encoding="utf-8")
    found = [
        re.search(rf"^CREATE (?:OR REPLACE )?FUNCTION benefits_{name}\(.*?^[^\n]*\$\$;$", before, re.M | re.S)
        for name in names
    ]
    texts = [each.group() for each in found if each]
    return "\n".join(re.sub(r"^CREATE (OR REPLACE )?", "CREATE OR REPLACE ", text) for text in texts)


FORWARD = (SQL / "0006_lighter.sql").read_text(encoding="utf-8")
BACKWARD = "".join(
    f"ALTER TABLE benefits_{table} DROP CONSTRAINT {name};" for table, names in CONSTRAINTS.items() for name in names
) + as_they_were("book", "entries_balance", "transaction_balances")


class Migration(migrations.Migration):

    dependencies = [
        ('benefits', '0005_cards_of_offers'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='ledgertransaction',
            name='transaction_kind_is_known',
        ),
        migrations.RemoveConstraint(
            model_name='redemption',
            name='redemption_state_is_known',
        ),
        migrations.RemoveConstraint(
            model_name='redemption',
            name='redemption_ended_since',
        ),
        migrations.AlterField(
            model_name='budgetshard',
            name='shard',
            field=models.SmallIntegerField(),
        ),
        migrations.AlterField(
            model_name='ledgertransaction',
            name='position',
            field=models.IntegerField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name='redemption',
            name='distance_m',
            field=models.IntegerField(blank=True, null=True, verbose_name='metres from the counter'),
        ),
        migrations.AlterField(
            model_name='redemption',
            name='funded_fen',
            field=models.IntegerField(verbose_name='funded'),
        ),
        migrations.AlterField(
            model_name='redemption',
            name='list_price_fen',
            field=models.IntegerField(verbose_name='list price'),
        ),
        migrations.AlterField(
            model_name='redemption',
            name='merchant_fen',
            field=models.IntegerField(verbose_name="merchant's share"),
        ),
        migrations.AlterField(
            model_name='redemption',
            name='worker_fen',
            field=models.IntegerField(verbose_name="worker's share"),
        ),
        migrations.RunSQL(sql=[(FORWARD, None)], reverse_sql=BACKWARD),
    ]
