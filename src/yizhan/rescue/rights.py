"""Who may do what with rescue."""

from yizhan.unions.rights import Role, declare

VIEW_RESCUE = declare("rescue.view", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.READER])
DISPATCH = declare("rescue.dispatch", roles=[Role.ADMINISTRATOR, Role.CADRE])
MANAGE_RESCUERS = declare("rescue.rescuers", roles=[Role.ADMINISTRATOR, Role.CADRE])
# Money for rescues: the list of subsidies, and paying by hand what was not paid by itself.
VIEW_SUBSIDIES = declare("rescue.view_subsidies", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.FINANCE, Role.READER])
PAY_SUBSIDIES = declare("rescue.pay_subsidies", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.FINANCE])
EXPORT_RESCUE = declare("rescue.export", roles=[Role.ADMINISTRATOR, Role.CADRE])
