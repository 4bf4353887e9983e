"""What the demo shows of this room, part by part."""

from __future__ import annotations

from yizhan.unions.models import Staff, Union

from .sample_counters import fill_counters
from .sample_money import fill_money
from .sample_programmes import fill_programmes


def fill(union: Union, *, actor: Staff, seed: int) -> None:
    """Programmes with a week of meals, then what finance made of them, and a counter; harmless when called twice."""
    fill_programmes(union, actor=actor, seed=seed)
    fill_money(union, actor=actor)
    fill_counters(union, actor=actor)
