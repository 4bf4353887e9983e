"""What a caller tells."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from yizhan.unions.errors import Problem

from .models import Problem as WhatIsBroken


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """What is the matter, and where. Positions are WGS-84 degrees; `called_at` is the phone's own time."""

    problem: str
    lon: float
    lat: float
    accuracy_m: int | None = None
    is_injured: bool | None = None
    words: str = ""
    contact_name: str = ""
    contact_phone: str = ""
    called_at: datetime | None = None

    def problems(self) -> list[Problem]:
        """What is wrong with it, without looking anything up."""
        found = []
        if self.problem not in WhatIsBroken.values:
            rule = _("Choose one of: %(problems)s.") % {"problems": ", ".join(WhatIsBroken.values)}
            found.append(Problem("problem", self.problem[:40], rule, "unknown"))
        if self.problem == WhatIsBroken.ACCIDENT and self.is_injured is None:
            found.append(Problem("is_injured", "", _("Say first whether anyone is hurt."), "missing"))
        if position_problem := position_rule(self.lon, self.lat):
            found.append(position_problem)
        return found


def position_rule(lon: float, lat: float) -> Problem | None:
    """What is wrong with a position, None when nothing is."""
    if not (math.isfinite(lon) and math.isfinite(lat)):
        return Problem("lon", str((lon, lat)), _("A position is a longitude and a latitude."), "invalid")
    if not (73.0 <= lon <= 136.0 and 3.0 <= lat <= 54.0):
        return Problem(
            "lon", f"{lon:.5f}, {lat:.5f}", _("A position lies at 73 to 136° east and 3 to 54° north."), "outside"
        )
    return None
