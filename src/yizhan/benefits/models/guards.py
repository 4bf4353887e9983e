"""What the database itself refuses, said once."""

from __future__ import annotations

import pgtrigger


def never_deleted(name: str, condition: str = "TRUE") -> pgtrigger.Trigger:
    """Refuse to delete a row for which `condition` (SQL over OLD) holds.

    Redemptions and ledger entries point at such rows without a foreign key in the database: its check would lock the
    one row of a hot programme with every meal. Rows that cannot go away need no such check.
    """
    return pgtrigger.Trigger(
        name=name,
        when=pgtrigger.Before,
        operation=pgtrigger.Delete,
        func=f"IF {condition} THEN RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME; END IF; RETURN OLD;",
    )


def append_only(name: str, *, unless: str = "FALSE") -> list[pgtrigger.Trigger]:
    """Refuse every update (save where `unless`, SQL over OLD and NEW, holds), every delete and truncation."""
    return [
        pgtrigger.Trigger(
            name=f"{name}_is_append_only",
            when=pgtrigger.Before,
            operation=pgtrigger.Update | pgtrigger.Delete,
            func=(
                f"IF TG_OP = 'UPDATE' THEN IF {unless} THEN RETURN NEW; END IF; END IF; "
                "RAISE EXCEPTION 'the ledger is append-only';"
            ),
        ),
        pgtrigger.Trigger(
            name=f"{name}_is_not_truncated",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func="RAISE EXCEPTION 'the ledger is append-only';",
        ),
    ]
