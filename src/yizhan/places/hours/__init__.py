"""Opening hours: OSM `opening_hours` syntax, read with China's own calendar.

The syntax is parsed and evaluated by opening-hours-py. What it cannot know is which days China works: that comes from
`calendar` and is fed in by `evaluate`. An empty expression means that nobody has told us: unknown, never closed.
"""

from .chinese import HoursReading, read_hours
from .evaluate import Openness, OpenState, Span, open_intervals, spans, state_at, without
from .syntax import HoursNotUnderstood, validate
from .weekly import Weekly
from .words import hours_in_words, in_words, state_in_words

__all__ = [
    "HoursNotUnderstood",
    "HoursReading",
    "OpenState",
    "Openness",
    "Span",
    "Weekly",
    "hours_in_words",
    "in_words",
    "open_intervals",
    "read_hours",
    "spans",
    "state_at",
    "state_in_words",
    "validate",
    "without",
]
