"""Files that wait between a preview and its confirmation, for at most a day, readable only by whoever brought them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff

_FOLDER = "place-imports"
_SALT = "places.uploads"
LONGEST_WAIT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Upload:
    """A waiting file: its token, what its owner called it, and what it holds."""

    token: str
    file_name: str
    content: bytes


def keep(content: bytes, *, file_name: str, owner: Staff) -> Upload:
    """Let a file wait; those that have waited too long are removed."""
    _sweep()
    name = default_storage.save(f"{_FOLDER}/{uuid4().hex}", ContentFile(content))
    token = signing.dumps({"name": name, "file": file_name[:200], "owner": owner.pk}, salt=_SALT)
    return Upload(token, file_name, content)


def fetch(token: str, *, owner: Staff) -> Upload:
    """The file that waits under a token.

    Raises:
        RuleBroken: the token is not ours, too old, or someone else's.
    """
    gone = RuleBroken.at("file", "", _("The file is no longer here; please choose it again."), "gone")
    try:
        ticket = signing.loads(token, salt=_SALT, max_age=LONGEST_WAIT)
    except signing.BadSignature:
        raise gone from None
    if ticket["owner"] != owner.pk or not default_storage.exists(ticket["name"]):
        raise gone
    with default_storage.open(ticket["name"]) as file:
        return Upload(token, ticket["file"], file.read())


def _sweep() -> None:
    if not default_storage.exists(_FOLDER):
        return
    _folders, names = default_storage.listdir(_FOLDER)
    for name in names:
        path = f"{_FOLDER}/{name}"
        if timezone.now() - default_storage.get_modified_time(path) > LONGEST_WAIT:
            default_storage.delete(path)
