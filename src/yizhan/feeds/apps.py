"""The feeds room as Django sees it."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class FeedsConfig(AppConfig):
    """What partners read of the directory, and what is pushed to them."""

    name = "yizhan.feeds"
    label = "feeds"
    verbose_name = _("Feeds and pushes")

    def ready(self) -> None:
        post_migrate.connect(_look_anew, sender=self)


def _look_anew(sender: AppConfig, plan: list[Any] | None = None, **_options: Any) -> None:
    """An upgrade may tell more of a place: whoever follows the changes is to hear it."""
    if not any(backwards for _migration, backwards in plan or ()):
        from .services.sequence import look_anew

        look_anew()
