"""`{{ fen|yuan }}`: money as people read it."""

from __future__ import annotations

from django import template

from yizhan.benefits import clock

register = template.Library()


@register.filter
def yuan(fen: int | None) -> str:
    """`123456` fen as `1,234.56`; nothing as a dash."""
    if fen is None:
        return "–"
    whole, rest = clock.yuan(fen).split(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}.{rest}"
