"""The benefits room as Django sees it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BenefitsConfig(AppConfig):
    """Funded benefits: programmes, redemption, the ledger, settlement."""

    name = "yizhan.benefits"
    label = "benefits"
    verbose_name = _("Benefits")
