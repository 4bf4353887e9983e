from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PlacesConfig(AppConfig):
    """The places room."""

    name = "yizhan.places"
    label = "places"

    def ready(self) -> None:
        from .actions import declare_words

        declare_words()
        post_migrate.connect(_seed_vocabulary, sender=self)


def _seed_vocabulary(sender: AppConfig, **_kwargs: Any) -> None:
    """The words of the vocabulary come with the tables."""
    from .models import OfferKind
    from .vocabulary import seed

    seed(OfferKind)
