from django.apps import AppConfig


class WebConfig(AppConfig):
    """The web room."""

    name = "yizhan.web"
    label = "web"
