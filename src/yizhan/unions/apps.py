from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class UnionsConfig(AppConfig):
    """The unions room."""

    name = "yizhan.unions"
    label = "unions"

    def ready(self) -> None:
        """Make every room's rights and acts known, and listen to sign-ins."""
        autodiscover_modules("rights", "actions")
        from . import sign_in_trail  # noqa: F401
