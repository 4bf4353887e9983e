"""Giving places their plates, and counting who comes by them without knowing who it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from django.db import connection, transaction
from django.utils import timezone

from yizhan.places.models import Place, Plate, PlateVisits
from yizhan.places.rights import PRINT_PLATES
from yizhan.unions.models import Staff
from yizhan.unions.rights import Operator, policy

# Machines that follow addresses without anybody standing before the door.
_MACHINES = re.compile(
    r"(?<!cu)bot|spider|crawl|slurp|preview|monitor|curl|wget|python|java/|go-http|headless|lighthouse",
    re.IGNORECASE,
)


@transaction.atomic
def plates_of(places: Iterable[Place], *, actor: Staff | Operator) -> dict[int, str]:
    """The codes of places by row number; those without a plate get one, and keep it for good.

    Raises:
        NotAllowed: `actor` may not make plates for one of them.
    """
    wanted = list(places)
    for union in {place.union_id: place.union for place in wanted}.values():
        policy.require(actor, PRINT_PLATES, union)
    plates = Plate.objects.with_scopes_disabled()
    have = set(plates.filter(place__in=wanted).values_list("place_id", flat=True))
    # Two at once: whoever comes second finds the plate of the first.
    plates.bulk_create((Plate(place=place) for place in wanted if place.pk not in have), ignore_conflicts=True)
    return dict(plates.filter(place__in=wanted).values_list("place_id", "code"))


def is_machine(user_agent: str) -> bool:
    """Whether a program and not a person asks, by its own word; who says nothing is one."""
    return not user_agent.strip() or _MACHINES.search(user_agent) is not None


def count_visit(plate: Plate, *, day: date | None = None) -> None:
    """Count one visit on a day in Shanghai; many at once lose none."""
    table = PlateVisits._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (plate_id, day, count) VALUES (%s, %s, 1) "  # noqa: S608 - the table's own name
            f"ON CONFLICT (plate_id, day) DO UPDATE SET count = {table}.count + 1",
            [plate.pk, day or timezone.localdate()],
        )
