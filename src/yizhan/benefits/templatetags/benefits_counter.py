"""Words of counters and meals in templates."""

from __future__ import annotations

from django import template

from yizhan.places.hours import OpenState

register = template.Library()
_TONES = {"yes": "good", "no": "neutral", "unknown": "info"}


@register.filter
def yuan(fen: int) -> str:
    """900 fen are `9`, 950 are `9.5`: as people say yuan."""
    whole, rest = divmod(abs(fen), 100)
    text = f"{whole}.{rest:02}".rstrip("0").rstrip(".") if rest else str(whole)
    return f"-{text}" if fen < 0 else text


@register.filter
def openness_tone(state: OpenState) -> str:
    """How a state stands among the design system's tones."""
    return _TONES[state.state]
