"""Who may do what with rescue."""

from yizhan.unions.rights import Role, declare

VIEW_RESCUE = declare("rescue.view", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.READER])
DISPATCH = declare("rescue.dispatch", roles=[Role.ADMINISTRATOR, Role.CADRE])
MANAGE_RESCUERS = declare("rescue.rescuers", roles=[Role.ADMINISTRATOR, Role.CADRE])
