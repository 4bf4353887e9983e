"""The components of the design system as template tags; the page `/design/` shows each of them live."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import template
from django.core.paginator import Page
from django.forms import BaseForm, BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.http import HttpRequest
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from yizhan.web.icons import ICONS

register = template.Library()

TONES = frozenset({"good", "warn", "bad", "info", "neutral"})


def _known_tone(tone: str) -> str:
    if tone not in TONES:
        raise template.TemplateSyntaxError(f"tone {tone!r} is not one of {', '.join(sorted(TONES))}")
    return tone


@register.simple_tag
def icon(name: str) -> SafeString:
    """A drawing of the shell; decorative, so the words beside it must say the same."""
    try:
        drawing = ICONS[name]
    except KeyError:
        raise template.TemplateSyntaxError(f"icon {name!r} is not one of {', '.join(sorted(ICONS))}") from None
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{}"/></svg>', drawing
    )


@register.simple_tag
def status(tone: str, words: object) -> SafeString:
    """A state: the words say it, the tone (good, warn, bad, info, neutral) only repeats it."""
    return format_html('<span class="status status-{}">{}</span>', _known_tone(tone), words)


@register.simple_block_tag
def page_header(content: str, title: object, lead: object = "") -> SafeString:
    """The page's one `h1`, with a lead below and the actions that the block holds beside it."""
    actions = format_html('<div class="page-header-actions">{}</div>', content) if content.strip() else ""
    below = format_html('<p class="page-header-lead">{}</p>', lead) if lead else ""
    return format_html(
        '<header class="page-header"><div class="page-header-text"><h1>{}</h1>{}</div>{}</header>',
        title,
        below,
        actions,
    )


@register.simple_tag
def breadcrumbs(*parts: object) -> SafeString:
    """Where this page stands: label, address, label, address … and last the label of the page itself."""
    if len(parts) % 2 == 0:
        raise template.TemplateSyntaxError("breadcrumbs takes label, address pairs and the last label alone")
    items = [
        format_html('<li><a href="{}">{}</a></li>', parts[at + 1], parts[at]) for at in range(0, len(parts) - 1, 2)
    ]
    items.append(format_html('<li aria-current="page">{}</li>', parts[-1]))
    return format_html(
        '<nav aria-label="{}"><ol class="breadcrumbs">{}</ol></nav>',
        _("You are here"),
        mark_safe("".join(items)),  # noqa: S308 (each item is escaped above)
    )


@register.simple_block_tag
def empty_state(content: str, title: object, text: object = "") -> SafeString:
    """An empty list: what will appear here and how; the block holds the action that begins it."""
    return format_html(
        '<div class="empty"><div class="empty-road"></div><p class="empty-title">{}</p>{}{}</div>',
        title,
        format_html('<p class="empty-text">{}</p>', text) if text else "",
        content,
    )


@register.simple_tag
def stat(
    label: object, value: object, unit: object = "", note: object = "", href: str = "", tone: str = "neutral"
) -> SafeString:
    """One figure with its meaning, in a `div.stats`; with `href` it leads to the list it counts."""
    inside = format_html(
        '<span class="stat-label">{}</span><span class="stat-value">{}{}</span>{}',
        label,
        value,
        format_html('<span class="stat-unit">{}</span>', unit) if unit else "",
        format_html('<span class="stat-note">{}</span>', note) if note else "",
    )
    kind = f"stat stat-{_known_tone(tone)}"
    if href:
        return format_html('<a class="{}" href="{}">{}</a>', kind, href, inside)
    return format_html('<div class="{}">{}</div>', kind, inside)


@register.simple_tag
def words(element_id: str, **named: object) -> SafeString:
    """Words that an island says, as a data block that it reads: the script itself knows no language."""
    return json_script({name: str(phrase) for name, phrase in named.items()}, element_id)


@register.inclusion_tag("web/parts/field.html")
def field(bound: BoundField, label: object = "") -> dict[str, Any]:
    """One field of a Django form: label, help, the control, and errors that name what is wrong.

    Raises:
        TemplateSyntaxError: `bound` is no field of a form (a misspelt name would otherwise vanish silently).
    """
    if not isinstance(bound, BoundField):
        raise template.TemplateSyntaxError(f"field takes a bound form field, got {bound!r}")
    widget = bound.field.widget
    described = []
    if bound.help_text:
        described.append(f"{bound.id_for_label or bound.auto_id}_help")
    if bound.errors:
        described.append(f"{bound.id_for_label or bound.auto_id}_error")
    attributes: dict[str, str | bool] = {}
    if described:
        attributes["aria-describedby"] = " ".join(described)
    if bound.errors:
        attributes["aria-invalid"] = "true"
    return {
        "field": bound,
        "control": bound.as_widget(attrs=attributes),
        "id": bound.id_for_label or bound.auto_id,
        "label": label or bound.label,
        "is_check": isinstance(widget, CheckboxInput),
        "is_choices": isinstance(widget, RadioSelect | CheckboxSelectMultiple),
        "is_optional": not bound.field.required and not isinstance(widget, CheckboxInput),
    }


@register.inclusion_tag("web/parts/form_errors.html")
def form_errors(form: BaseForm) -> dict[str, Any]:
    """What is wrong with the form as a whole, and links to each wrong field. Stands before the fields."""
    wrong = [bound for bound in form if bound.errors]
    return {"form": form, "wrong": wrong, "count": len(wrong) + len(form.non_field_errors())}


@register.inclusion_tag("web/parts/fields.html")
def fields(form: BaseForm) -> dict[str, Any]:
    """All of a form: errors, hidden fields, then each field."""
    return {"form": form}


@register.inclusion_tag("web/parts/pager.html", takes_context=True)
def pager(context: Context, page: Page[Any]) -> dict[str, Any]:
    """How many there are, which of them this page shows, and the way to the others; filters are kept."""
    return {"page": page, "request": context["request"]}


@register.simple_block_tag(takes_context=True)
def filter_bar(context: Context, content: str) -> str:
    """A form that narrows a list by the fields in the block, and a way back to all, in the same view of it."""
    request: HttpRequest = context["request"]
    narrowed = any(value for key, value in request.GET.items() if key not in {"page", "view"})
    view = request.GET.get("view", "")
    everything = f"{request.path}?{urlencode({'view': view})}" if view else request.path
    return render_to_string(
        "web/parts/filter_bar.html",
        {"content": content, "narrowed": narrowed, "path": request.path, "everything": everything},
    )


@register.simple_block_tag(takes_context=True)
def confirm(
    context: Context,
    content: str,
    *,
    id: str,  # noqa: A002
    action: str,
    button: object,
    title: object,
    destroys: object = "",
    yes: object = "",
    danger: bool = True,
) -> str:
    """A button that asks before it acts: a dialog that says what will be destroyed, and posts to `action`.

    The block holds further fields of the form. Without script the dialog still opens, as a popover.
    """
    return render_to_string(
        "web/parts/confirm.html",
        {
            "content": content,
            "id": id,
            "action": action,
            "button": button,
            "title": title,
            "destroys": destroys,
            "yes": yes or button,
            "danger": danger,
        },
        request=context.get("request"),
    )
