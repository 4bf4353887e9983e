"""Rights around links, visits and the task ledger; `rights.py` makes them known."""

from yizhan.unions.rights import Role, declare

_FIELD = [Role.ADMINISTRATOR, Role.CADRE]  # those who see workers

VIEW_LINKS = declare("links.view", roles=_FIELD)
HOLD_LINKS = declare("links.hold", roles=_FIELD)
ASSIGN_LINKS = declare("links.assign", roles=[Role.ADMINISTRATOR])
SET_LINK_TARGETS = declare("links.set_targets", roles=[Role.ADMINISTRATOR])
VIEW_COVERAGE = declare("links.coverage", roles=[*_FIELD, Role.READER])  # numbers only
VIEW_VISITS = declare("visits.view", roles=_FIELD)
RECORD_VISITS = declare("visits.record", roles=_FIELD)
VIEW_REACH = declare("visits.reach", roles=[*_FIELD, Role.READER])  # numbers only
VIEW_LEDGER = declare("ledger.view", roles=[*_FIELD, Role.FINANCE, Role.READER])
CHANGE_LEDGER = declare("ledger.change", roles=_FIELD)
