"""Who may do what with partners and what they show."""

from yizhan.unions.rights import Role, declare

VIEW_PARTNERS = declare("feeds.view_partners", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.KEEPER, Role.READER])
MANAGE_PARTNERS = declare("feeds.manage_partners", roles=[Role.ADMINISTRATOR])
RECONCILE = declare("feeds.reconcile", roles=[Role.ADMINISTRATOR, Role.CADRE])
EXPORT_LISTINGS = declare("feeds.export_listings", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.READER])
