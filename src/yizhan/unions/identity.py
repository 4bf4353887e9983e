"""Identifiers that may leave the house."""

from uuid import UUID

from django.db import models
from uuid_utils.compat import uuid7


def new_public_id() -> UUID:
    """A UUIDv7: unique, and ordered by the time it was made, so that indexes stay compact."""
    return uuid7()


class PubliclyIdentified(models.Model):
    """A row that the outside knows by `public_id`, never by its row number."""

    public_id = models.UUIDField(default=new_public_id, unique=True, editable=False)

    class Meta:
        abstract = True
