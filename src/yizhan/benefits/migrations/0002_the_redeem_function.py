from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parents[1] / "sql"
FORWARD = [(SQL / f"0002_{part}.sql").read_text(encoding="utf-8") for part in ("checks", "budgets", "redeem")]
BACKWARD = """
DROP TRIGGER IF EXISTS worker_with_redemptions_stays ON unions_worker;
DROP TRIGGER IF EXISTS entries_balance ON benefits_entry;
DROP TRIGGER IF EXISTS transaction_balances ON benefits_ledgertransaction;
""" + "".join(
    f"DROP FUNCTION IF EXISTS benefits_{name};"
    for name in (
        "accept",
        "redeem",
        "take_place_day",
        "book",
        "quotas",
        "rules",
        "charge",
        "borrow",
        "open_bucket",
        "bucket",
        "check_cap",
        "check_split",
        "check_balance",
        "transaction_balances",
        "entries_balance",
        "worker_stays",
    )
)


class Migration(migrations.Migration):
    dependencies = [("benefits", "0001_programmes_redemptions_and_the_ledger")]

    operations = [
        migrations.RunSQL(sql=[(part, None) for part in FORWARD], reverse_sql=BACKWARD),
    ]
