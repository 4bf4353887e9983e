"""What sign-in pages say about codes."""

from __future__ import annotations

from django import template
from django.conf import settings

from yizhan.unions.personal_data import mask_phone

register = template.Library()
register.filter("masked_phone", mask_phone)


@register.simple_tag
def codes_go_to_the_log() -> bool:
    """Whether no text messages are sent here."""
    return bool(settings.SMS_BACKEND == "log")
