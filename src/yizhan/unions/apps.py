from django.apps import AppConfig


class UnionsConfig(AppConfig):
    """The unions room."""

    name = "yizhan.unions"
    label = "unions"
