"""The passage room as Django sees it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PassageConfig(AppConfig):
    """Pings in, reminders out."""

    name = "yizhan.passage"
    label = "passage"
    verbose_name = _("Passing reminders")
