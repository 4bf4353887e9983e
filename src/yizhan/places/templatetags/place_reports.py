"""What a place's public page says of reports: known problems, stars, and the buttons that report with one tap."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import template
from django.utils import timezone

from yizhan.places.models import Place, ReportKind
from yizhan.places.queries.plates import visits_of_last_days
from yizhan.places.reports import queries
from yizhan.places.reports.words import problem_in_words, stars_in_words, visits_in_words

register = template.Library()


@register.inclusion_tag("places/reports/parts/known.html")
def known_problems(place: Place) -> dict[str, Any]:
    """What is wrong and known, in plain words; nothing when nothing is."""
    now = timezone.now()
    return {
        "problems": [problem_in_words(report, now) for report in queries.known_problems(place, at=now)],
        "stars": stars_in_words(queries.last_star_change(place)),
    }


@register.inclusion_tag("places/reports/parts/buttons.html", takes_context=True)
def report_buttons(context: template.context.Context, place: Place) -> dict[str, Any]:
    """One button a fault; a tap reports it."""
    return {
        "place": place,
        "request": context.get("request"),
        "request_id": uuid4(),
        "kinds": [kind for kind in ReportKind if kind != ReportKind.OTHER],
        "other": ReportKind.OTHER.value,
        "visits": visits_in_words(visits_of_last_days(place)),
    }
