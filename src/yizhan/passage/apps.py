from django.apps import AppConfig


class PassageConfig(AppConfig):
    """The passage room."""

    name = "yizhan.passage"
    label = "passage"
