"""The cases room as Django sees it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CasesConfig(AppConfig):
    """Three into: people, visits, and a problem list that becomes a results list."""

    name = "yizhan.cases"
    label = "cases"
    verbose_name = _("Three into")
