"""Rights around wishes, stock, rosters and consultations; `rights.py` makes them known."""

from yizhan.unions.rights import Role, declare

_FIELD = [Role.ADMINISTRATOR, Role.CADRE]

VIEW_WISHES = declare("wishes.view", roles=[*_FIELD, Role.READER])
PUBLISH_WISHES = declare("wishes.publish", roles=_FIELD)
MANAGE_SPONSORS = declare("wishes.sponsors", roles=_FIELD)
VIEW_STOCK = declare("stock.view", roles=[*_FIELD, Role.KEEPER])
CHANGE_STOCK = declare("stock.change", roles=[*_FIELD, Role.KEEPER])
VIEW_ROSTER = declare("roster.view", roles=_FIELD)
MANAGE_ROSTER = declare("roster.manage", roles=[Role.ADMINISTRATOR])
VIEW_MEETINGS = declare("meetings.view", roles=[*_FIELD, Role.READER])
CHANGE_MEETINGS = declare("meetings.change", roles=_FIELD)
