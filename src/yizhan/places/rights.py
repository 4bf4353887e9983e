"""Who may do what with places."""

from yizhan.unions.rights import Role, declare

VIEW_PLACES = declare("places.view", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.KEEPER, Role.FINANCE, Role.READER])
CHANGE_PLACES = declare("places.change", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.KEEPER])
PUBLISH_PLACES = declare("places.publish", roles=[Role.ADMINISTRATOR, Role.CADRE])
IMPORT_PLACES = declare("places.import", roles=[Role.ADMINISTRATOR, Role.CADRE])
EXPORT_PLACES = declare("places.export", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.READER])
