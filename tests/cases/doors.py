"""Objects of the cases room for `tests/site/test_every_door.py`."""

from __future__ import annotations

from tests.cases.case_doors import doors as case_doors
from tests.cases.outreach_doors import doors as outreach_doors
from tests.cases.wish_doors import doors as wish_doors

doors = {**case_doors, **outreach_doors, **wish_doors}
