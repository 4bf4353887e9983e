"""The lines of the desk's list of cases, written at once: fifty of them are most of what its page takes to draw."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import conditional_escape as safe
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from yizhan.cases.models import Case, CaseState
from yizhan.unions.templatetags.moments import moment

register = template.Library()
_ANY = "00000000-0000-0000-0000-000000000000"


@register.simple_tag
def case_rows(rows: Iterable[dict[str, Any]], *, may_handle: bool) -> SafeString:
    """A `tr` for each of `rows`, as `views.desk.row_of` makes them."""
    heads = [safe(head) for head in (_("State"), _("Due by"), _("Handler"), _("Whose"), _("Union"), _("Brought"))]
    tick, late, secret = safe(_("Tick")), safe(_("Overdue")), safe(_("confidential"))
    provisional = safe(_("holidays of that year not published"))
    address = reverse("cases:case", args=[_ANY])
    states = {value: safe(label) for value, label in CaseState.choices}
    lines: list[str] = []
    for row in rows:
        case: Case = row["case"]
        box = (
            f'<td class="case-tick" data-label="{tick}"><label class="tick"><input type="checkbox" name="case"'
            f' value="{case.public_id}"><span class="visually-hidden">{case.number}</span></label></td>'
        )
        about = f"{safe(row['kind'])} · {case.number}" + (f" · {secret}" if case.is_confidential else "")
        beside = "".join(f' <span class="small">{safe(word)}</span>' for word in _beside(case))
        until = f'<span class="nowrap">{row["until"]:%m-%d}</span>' if row["until"] else "–"
        if row["is_overdue"]:
            until = f'<span class="status status-bad">{late}</span> {until}'
        if row["is_provisional"]:
            until += f' <span class="small quiet">{provisional}</span>'
        cells = (
            f'<span><span class="status status-{row["tone"]}">{states[case.state]}</span>{beside}</span>',
            f"<span>{until}</span>",
            safe(str(case.handler.user)) if case.handler else "–",
            safe(row["person"] or "–"),
            safe(case.union.name),
            f'<span class="nowrap">{moment(case.submitted_at)}</span>',
        )
        lines += (
            "<tr data-row>",
            box if may_handle else "",
            f'<th scope="row"><a href="{address.replace(_ANY, str(case.public_id))}">{safe(case.heading)}</a>',
            f'<span class="small quiet figures case-number">{about}</span></th>',
            *(f'<td data-label="{head}">{cell}</td>' for head, cell in zip(heads, cells, strict=True)),
            "</tr>",
        )
    return mark_safe("".join(lines))  # noqa: S308 (all that is not ours is escaped above)


def _beside(case: Case) -> list[str]:
    """What a reader must know beside the state."""
    found = []
    if case.offered_to:
        found.append(_("offered to %(union)s") % {"union": case.offered_to.name})
    if case.is_paused:
        found.append(_("clock stands"))
    if case.is_supervised:
        found.append(_("supervised (督办)"))
    if n := case.times_reopened:
        found.append(ngettext("reopened once", "reopened %(n)s times", n) % {"n": n})
    return found
