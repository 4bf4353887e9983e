"""Who may do what with cases. Confidential ones also need a seat in their circle (`yizhan.cases.circle`)."""

from yizhan.unions.rights import Role, declare

VIEW_CASES = declare("cases.view", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.READER])
ENTER_CASES = declare("cases.enter", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.KEEPER])
HANDLE_CASES = declare("cases.handle", roles=[Role.ADMINISTRATOR, Role.CADRE])
SUPERVISE_CASES = declare("cases.supervise", roles=[Role.ADMINISTRATOR, Role.CADRE])
EXPORT_CASES = declare("cases.export", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.READER])
PUBLISH_RESULTS = declare("cases.publish", roles=[Role.ADMINISTRATOR, Role.CADRE])
IMPORT_CASES = declare("cases.import", roles=[Role.ADMINISTRATOR, Role.CADRE])
SET_KINDS = declare("cases.set_kinds", roles=[Role.ADMINISTRATOR])
SET_CIRCLE = declare("cases.set_circle", roles=[Role.ADMINISTRATOR])
MANAGE_INTAKE = declare("cases.manage_intake", roles=[Role.ADMINISTRATOR])

from . import (  # noqa: E402
    outreach_rights,  # noqa: F401 - links, visits and the task ledger
    wish_rights,  # noqa: F401 - wishes, stock, rosters, consultations
)
