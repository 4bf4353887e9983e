"""`{{ time|moment }}`: relative near now, absolute otherwise."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """A time as people say it; the exact one in `datetime` and as a tip."""
    if value is None:
        return ""
    local = timezone.localtime(value)
    exact = local.strftime("%Y-%m-%d %H:%M:%S")
    near = abs(timezone.now() - value) < timedelta(hours=12)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        exact,
        naturaltime(value) if near else exact[:16],
    )
