"""What a place offers: the words a union may use, and setting them."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from yizhan.places.models import Offer, OfferKind, Place
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Union


def vocabulary(union: Union) -> list[OfferKind]:
    """All kinds of offer that a union may use, in their order; the nearest union's word wins."""
    kinds = OfferKind.objects.filter(union__isnull=True) | OfferKind.objects.filter(
        union__path__in=paths_down_to(union)
    )
    by_code: dict[str, OfferKind] = {}
    for kind in sorted(kinds.select_related("union"), key=lambda kind: kind.union.depth if kind.union else 0):
        by_code[kind.code] = kind
    return sorted(by_code.values(), key=lambda kind: (kind.order, kind.code))


def paths_down_to(union: Union) -> list[str]:
    """The places in the tree of all unions above, and of this one."""
    return [union.path[: Union.steplen * (step + 1)] for step in range(len(union.path) // Union.steplen)]


def set_offers(place: Place, codes: Iterable[str]) -> None:
    """Make a place offer exactly these kinds; notes of those it keeps stay.

    Raises:
        RuleBroken: a code means nothing at the place's union.
    """
    wanted = set(codes)
    kinds = {kind.code: kind for kind in vocabulary(place.union) if kind.code in wanted}
    if missing := sorted(wanted - set(kinds)):
        raise RuleBroken.at(
            "offers", missing, _("Unknown offer: %(codes)s.") % {"codes": ", ".join(missing)}, "unknown_offer"
        )
    offers = Offer.objects.with_scopes_disabled().filter(place=place)
    offers.exclude(kind__code__in=list(kinds)).delete()
    present = set(offers.values_list("kind__code", flat=True))
    Offer.objects.bulk_create(Offer(place=place, kind=kind) for code, kind in kinds.items() if code not in present)
