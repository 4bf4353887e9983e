from django.apps import AppConfig


class SiteConfig(AppConfig):
    """Settings, urls, command line and the embedded database."""

    name = "yizhan.site"
    label = "site"

    def ready(self) -> None:
        from .moments import tell_moments_in_utc

        tell_moments_in_utc()
