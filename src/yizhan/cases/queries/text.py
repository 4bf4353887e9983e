"""Looking for a part of a text."""

from __future__ import annotations

from django.db.models import Q


def holding(column: str, part: str) -> Q:
    """Rows whose `column` holds `part`, however it is written. Chinese has no capitals: then nothing is folded, which
    for a long list is most of the work."""
    folds = part.upper() != part.lower()
    return Q((f"{column}__icontains" if folds else f"{column}__contains", part))
