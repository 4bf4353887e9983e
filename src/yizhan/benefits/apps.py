"""The benefits room as Django sees it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BenefitsConfig(AppConfig):
    """Funded benefits: programmes, redemption, the ledger, settlement."""

    name = "yizhan.benefits"
    label = "benefits"
    verbose_name = _("Benefits")

    def ready(self) -> None:
        from yizhan.places.page_parts import declare_part

        from .place_part import meals_here

        declare_part(meals_here)
