"""Who may do what with places."""

from yizhan.unions.rights import Role, declare

VIEW_PLACES = declare("places.view", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.KEEPER, Role.FINANCE, Role.READER])
CHANGE_PLACES = declare("places.change", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.KEEPER])
PUBLISH_PLACES = declare("places.publish", roles=[Role.ADMINISTRATOR, Role.CADRE])
IMPORT_PLACES = declare("places.import", roles=[Role.ADMINISTRATOR, Role.CADRE])
EXPORT_PLACES = declare("places.export", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.READER])
VIEW_REPORTS = declare("places.view_reports", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.KEEPER, Role.READER])
ANSWER_REPORTS = declare("places.answer_reports", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.KEEPER])
VERIFY_REPORTS = declare("places.verify_reports", roles=[Role.ADMINISTRATOR, Role.CADRE])
EXPORT_REPORTS = declare("places.export_reports", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.READER])
SET_REPORT_RULES = declare("places.report_rules", roles=[Role.ADMINISTRATOR])
PRINT_PLATES = declare("places.plates", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.KEEPER, Role.READER])
VERIFY_PLACES = declare("places.verify", roles=[Role.ADMINISTRATOR, Role.CADRE])
EXTEND_VOCABULARY = declare("places.vocabulary", roles=[Role.ADMINISTRATOR, Role.CADRE])
SET_CARE_RULES = declare("places.care_rules", roles=[Role.ADMINISTRATOR])
