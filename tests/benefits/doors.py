"""Objects of the benefits room for `tests/site/test_every_door.py`."""

from __future__ import annotations

from tests.benefits.counter_doors import doors as counter_doors
from tests.benefits.money_doors import doors as money_doors
from tests.benefits.programme_doors import doors as programme_doors

doors = {**counter_doors, **money_doors, **programme_doors}
