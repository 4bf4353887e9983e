"""Which states a row may pass to, held by the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pgtrigger


def only_moves(name: str, moves: Mapping[str, Sequence[str]]) -> pgtrigger.Trigger:
    """Refuse every change of the column `state` that `moves` (from: to, to, …) does not name."""
    pairs = ", ".join(f"('{old}', '{new}')" for old, news in moves.items() for new in news)
    return pgtrigger.Trigger(
        name=f"{name}_moves_as_allowed",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Condition("OLD.state IS DISTINCT FROM NEW.state"),
        func=(
            f"IF (OLD.state, NEW.state) NOT IN ({pairs}) THEN "
            "RAISE EXCEPTION '% may not pass from % to %', TG_TABLE_NAME, OLD.state, NEW.state; END IF; RETURN NEW;"
        ),
    )
