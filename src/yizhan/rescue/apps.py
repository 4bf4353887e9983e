"""The rescue room as Django sees it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RescueConfig(AppConfig):
    """Roadside rescue: calls, rescuers, dispatch."""

    name = "yizhan.rescue"
    label = "rescue"
    verbose_name = _("Roadside rescue")
