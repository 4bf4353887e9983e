from django.apps import AppConfig


class SiteConfig(AppConfig):
    """Settings, urls, command line and the embedded database."""

    name = "yizhan.site"
    label = "site"
