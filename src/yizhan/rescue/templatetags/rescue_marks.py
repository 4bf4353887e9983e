"""What a page's map reads."""

import json
from typing import Any

from django import template

register = template.Library()


@register.filter
def safe_json(value: Any) -> str:
    """`value` as JSON for an attribute: the template escapes it, the script reads it."""
    return json.dumps(value, ensure_ascii=False)
