"""What is broken."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Problem(models.TextChoices):
    """What is broken, and what a rescuer can mend."""

    FLAT_TYRE = "flat_tyre", _("Flat tyre")
    BATTERY = "battery", _("Battery empty")
    CHAIN = "chain", _("Chain or drive")
    BRAKES = "brakes", _("Brakes")
    ACCIDENT = "accident", _("Accident")
    OTHER = "other", _("Something else is broken")
