"""What the demo shows of this room."""

from __future__ import annotations

from yizhan.unions.models import Staff, Union

from . import outreach_sample, sample_wishes
from .sample_cases import make_sample_cases


def fill(union: Union, *, actor: Staff, seed: int) -> None:
    """Fill the sample city with cases; harmless when it has some."""
    make_sample_cases(union, seed=seed)
    outreach_sample.fill(union, actor=actor, seed=seed)
    sample_wishes.fill(union, actor=actor, seed=seed)
