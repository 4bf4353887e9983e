"""Photos of a place for everyone."""

from __future__ import annotations

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from yizhan.places.actions import PHOTO_ADDED, PHOTO_MOVED, PHOTO_REMOVED
from yizhan.places.models import Place, PlacePhoto
from yizhan.places.pictures import clean_picture, smaller
from yizhan.places.rules import one_line
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import Operator

from .equipment import changeable
from .notification import touch

MOST_PHOTOS = 8


def add_photo(place: Place, content: bytes, *, alt: str, actor: Staff | Operator) -> PlacePhoto:
    """Show a picture of a place to everyone; it is written anew, without what cameras write into it.

    Args:
        place: The place.
        content: A JPEG, PNG or WebP file.
        alt: What it shows, for those who do not see it.
        actor: Who does it.

    Raises:
        NotAllowed: `actor` may not change places of this union.
        RuleBroken: the picture cannot be taken, nothing says what it shows, or the place has enough of them.
    """
    alt = one_line(alt)
    if not alt or len(alt) > 120:
        raise RuleBroken.at(
            "alt", alt[:40], _("Say what the picture shows, in at most %(limit)d characters.") % {"limit": 120}, "alt"
        )
    with transaction.atomic():  # refuses before the costly part
        changeable(place, actor)
    picture = clean_picture(content)
    small = smaller(picture)
    with transaction.atomic():
        current = changeable(place, actor)
        shown = PlacePhoto.objects.with_scopes_disabled().filter(place=current)
        if shown.count() >= MOST_PHOTOS:
            raise RuleBroken.at(
                "photo", "", _("A place shows at most %(limit)d photos.") % {"limit": MOST_PHOTOS}, "too_many"
            )
        last = shown.aggregate(last=Max("order"))["last"]
        photo = PlacePhoto(place=current, width=picture.width, height=picture.height, alt=alt)
        photo.order = 0 if last is None else last + 1
        try:
            photo.file.save("photo.jpg", ContentFile(picture.content), save=False)
            photo.small.save("photo.jpg", ContentFile(small.content), save=False)
            photo.save()
            record(actor, PHOTO_ADDED, union=current.union, target=current, details={"photo": [None, alt]})
            touch(current)
        except BaseException:
            _forget_files(photo)
            raise
    return photo


@transaction.atomic
def move_photo(photo: PlacePhoto, *, earlier: bool, actor: Staff | Operator) -> bool:
    """Change places with the photo before or after it; the first one is the cover. Returns whether it moved.

    Raises:
        NotAllowed: `actor` may not change places of this union.
    """
    place = changeable(photo.place, actor)
    photos = list(PlacePhoto.objects.with_scopes_disabled().filter(place=place))
    here = next((number for number, one in enumerate(photos) if one.pk == photo.pk), None)
    there = None if here is None else here + (-1 if earlier else 1)
    if here is None or there is None or not 0 <= there < len(photos):
        return False
    photos[here], photos[there] = photos[there], photos[here]
    for number, one in enumerate(photos):
        one.order = number
    PlacePhoto.objects.with_scopes_disabled().bulk_update(photos, ["order"])
    record(actor, PHOTO_MOVED, union=place.union, target=place, details={"cover": photos[0].alt})
    touch(place)
    return True


@transaction.atomic
def remove_photo(photo: PlacePhoto, *, actor: Staff | Operator) -> None:
    """Take a photo away; its files go once that is certain.

    Raises:
        NotAllowed: `actor` may not change places of this union.
    """
    place = changeable(photo.place, actor)
    PlacePhoto.objects.with_scopes_disabled().filter(pk=photo.pk).delete()
    record(actor, PHOTO_REMOVED, union=place.union, target=place, details={"photo": [photo.alt, None]})
    touch(place)
    transaction.on_commit(lambda: _forget_files(photo))


def _forget_files(photo: PlacePhoto) -> None:
    for file in (photo.file, photo.small):
        if file.name:
            file.storage.delete(file.name)
