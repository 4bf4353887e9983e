"""Who may do what with passing reminders."""

from yizhan.unions.rights import Role, declare

VIEW_REMINDERS = declare("passage.view_reminders", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.KEEPER, Role.READER])
EXPORT_REMINDERS = declare("passage.export_reminders", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.READER])
WATCH_LIVE = declare("passage.watch_live", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.KEEPER, Role.READER])
CHANGE_SETTINGS = declare("passage.change_settings", roles=[Role.ADMINISTRATOR, Role.CADRE])
MANAGE_SOURCES = declare("passage.manage_sources", roles=[Role.ADMINISTRATOR])
PLAY_BACK = declare("passage.play_back", roles=[Role.ADMINISTRATOR, Role.CADRE])
