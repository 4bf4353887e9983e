from django.apps import AppConfig


class PlacesConfig(AppConfig):
    """The places room."""

    name = "yizhan.places"
    label = "places"
