"""The feeds room as Django sees it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FeedsConfig(AppConfig):
    """What partners read of the directory, and what is pushed to them."""

    name = "yizhan.feeds"
    label = "feeds"
    verbose_name = _("Feeds and pushes")
