"""What drivers want to hear of, told by the fleet that they drive for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from yizhan.passage.models import MOST_SERVICES_ASKED, PingSource, VehicleWish
from yizhan.passage.pseudonyms import pseudonym_key, vehicle_number
from yizhan.places.models import OfferKind
from yizhan.unions.errors import Problem, RuleBroken

from .announcements import WISHES, announce
from .sources import digest

LONGEST_NAME = 64


class NoSuchKey(Exception):
    """The key is not that of a source, or was revoked or replaced."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a driver wants.

    Attributes:
        silent: to hear nothing.
        services: to hear only of places that offer all of these (codes of the common vocabulary); none: of any place.
    """

    silent: bool = False
    services: tuple[str, ...] = ()


def source_of(key: str) -> PingSource:
    """Whose key it is.

    Raises:
        NoSuchKey: nobody's, or no longer.
    """
    try:
        found: PingSource = PingSource.every.get(key_digest=digest(key), revoked_at=None, union__is_active=True)
    except PingSource.DoesNotExist:
        raise NoSuchKey from None
    return found


def wish_of(source: PingSource, vehicle: str) -> Wish:
    """What is known of the wishes of a vehicle's driver."""
    found = VehicleWish.every.filter(source=source, vehicle=number_of(source, vehicle)).first()
    return Wish(found.is_silent, tuple(found.services)) if found else Wish()


@transaction.atomic
def set_wish(source: PingSource, vehicle: str, *, silent: bool, services: Collection[str]) -> Wish:
    """Keep what the driver of a vehicle wants; a wish for nothing in particular removes what was kept. Idempotent.

    Raises:
        RuleBroken: the name of the vehicle, or a service, is none.
    """
    wish = Wish(silent, tuple(sorted(set(services))))
    problems = _problems(vehicle, wish)
    if problems:
        raise RuleBroken(problems)
    number = number_of(source, vehicle)
    if wish == Wish():
        VehicleWish.every.filter(source=source, vehicle=number).delete()
    else:
        VehicleWish.every.update_or_create(
            source=source, vehicle=number, defaults={"is_silent": wish.silent, "services": list(wish.services)}
        )
    announce(WISHES)
    return wish


def number_of(source: PingSource, vehicle: str) -> int:
    """The pseudonym of what a source calls a vehicle."""
    return vehicle_number(pseudonym_key(), source.pk, vehicle)


def _problems(vehicle: str, wish: Wish) -> list[Problem]:
    problems = []
    if not 1 <= len(vehicle) <= LONGEST_NAME:
        rule = _("must have 1 to %(most)s characters") % {"most": LONGEST_NAME}
        problems.append(Problem("vehicle", vehicle, rule, "length"))
    if len(wish.services) > MOST_SERVICES_ASKED:
        rule = _("at most %(most)s services") % {"most": MOST_SERVICES_ASKED}
        problems.append(Problem("services", len(wish.services), rule, "too_many"))
    known = set(OfferKind.objects.filter(union=None).values_list("code", flat=True))
    for code in wish.services:
        if code not in known:
            rule = _("is no service of the common vocabulary: %(known)s") % {"known": ", ".join(sorted(known))}
            problems.append(Problem("services", code, rule, "unknown"))
    return problems
