"""What the rows of a file mean for the places that are already there, and writing it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.geo import haversine_m
from yizhan.places.importing.cells import EquipmentCell
from yizhan.places.importing.columns import OFFER, Mapping
from yizhan.places.importing.geography import Neighbours
from yizhan.places.importing.report import Flag, Outcome
from yizhan.places.importing.rows import Reading
from yizhan.places.models import Equipment, EquipmentState, Offer, OfferKind, Place, PlaceStatus
from yizhan.unions.models import Union

from .notification import announce
from .offers import vocabulary

_BATCH = 1000
_SAME_M = 0.2  # files give six decimals, which is a decimetre
_TEXTS = (
    "name",
    "address",
    "district",
    "hours",
    "contact",
    "kind",
    "contact_is_service",
    "access",
    "access_note",
    "capacity",
)
_PARTS = frozenset({"offers", "equipment"})  # stand in tables of their own


class Plan:
    """What each row means for the places that are already there."""

    def __init__(self, readings: Sequence[Reading], union: Union, source: str, mapping: Mapping) -> None:
        self.readings = readings
        self.union = union
        self.source = source
        self.mapping = mapping
        self.kinds: dict[str, OfferKind] = {kind.code: kind for kind in vocabulary(union)}
        self.tells_offers = any(name == "offers" or name.startswith(OFFER) for name in mapping)
        self.create: list[tuple[Reading, Place]] = []
        self.change: list[tuple[Reading, Place, list[str]]] = []

    def compare(self) -> None:
        """Sort the rows into new, changed, unchanged and duplicate."""
        ours = Place.objects.with_scopes_disabled().filter(union__path__startswith=self.union.path)
        here = list(self._with_parts(ours.exclude(status=PlaceStatus.CLOSED)))
        mine = self._with_parts(ours.filter(union=self.union, source=self.source).exclude(source_id=""))
        by_source_id = {place.source_id: place for place in mine}
        by_identifier = {str(place.public_id): place for place in here} | self._closed(ours)
        by_name = {place.name: place for place in here}
        neighbours = Neighbours()
        neighbours.extend((place.lon, place.lat, place.name) for place in here)
        neighbours.extend(self._published_elsewhere())
        lines_by_name: dict[str, int] = {}
        lines_by_source_id: dict[str, int] = {}
        lines_by_place: dict[int, int] = {}
        for reading in self.readings:
            report, columns = reading.report, reading.columns
            if columns is None or report.outcome is Outcome.REFUSED:
                continue
            name = columns["name"]
            known = by_identifier.get(reading.identifier) if reading.identifier else None
            if known is not None:
                if known.pk in lines_by_place:
                    report.refuse(_("Same identifier as line %(line)d.") % {"line": lines_by_place[known.pk]})
                    continue
                lines_by_place[known.pk] = report.line
                self._again(reading, known, None if known.name == name else by_name.get(name))
                continue
            if name in lines_by_name:
                report.refuse(_("Same name as line %(line)d.") % {"line": lines_by_name[name]})
                continue
            if reading.source_id and reading.source_id in lines_by_source_id:
                report.refuse(
                    _("Same number at the source as line %(line)d.") % {"line": lines_by_source_id[reading.source_id]}
                )
                continue
            lines_by_name[name] = report.line
            lines_by_source_id[reading.source_id] = report.line
            before = by_source_id.get(reading.source_id) if reading.source_id else None
            same_name = by_name.get(name)
            if before is not None:
                self._again(reading, before, same_name)
            elif same_name is not None:
                self._same_name(reading, same_name)
            else:
                self._new(reading, neighbours)

    def write(self, *, publish: bool) -> int:
        """Store the new and the changed; returns how many were published."""
        now = timezone.now()
        published = 0
        for reading, place in self.create:
            if publish and not reading.report.is_doubtful:
                place.status, place.published_at = PlaceStatus.PUBLISHED, now
                published += 1
        Place.objects.with_scopes_disabled().bulk_create([place for _, place in self.create], batch_size=_BATCH)
        changed_public = False
        for _reading, place, names in self.change:
            place.revision += 1
            place.save(update_fields=[*(name for name in names if name not in _PARTS), "revision", "changed_at"])
            changed_public = changed_public or place.is_published
        self._write_offers()
        self._write_equipment()
        if published or changed_public:
            announce()
        return published

    def _with_parts(self, places: QuerySet[Place]) -> QuerySet[Place]:
        """The same places with whatever the file tells of, too."""
        if self.tells_offers:
            offers = Offer.objects.with_scopes_disabled().select_related("kind")
            places = places.prefetch_related(Prefetch("offers", offers, to_attr="known_offers"))
        if "equipment" in self.mapping:
            things = Equipment.objects.with_scopes_disabled().all()
            places = places.prefetch_related(Prefetch("equipment", things, to_attr="known_equipment"))
        return places.select_related(*(name for name in ("host", "operator", "funder") if name in self.mapping))

    def _closed(self, ours: QuerySet[Place]) -> dict[str, Place]:
        if "identifier" not in self.mapping:
            return {}
        return {str(place.public_id): place for place in ours.filter(status=PlaceStatus.CLOSED)}

    def _published_elsewhere(self) -> list[tuple[float, float, str]]:
        positions = [reading.columns for reading in self.readings if reading.columns]
        if not positions:
            return []
        lon, lat = [columns["lon"] for columns in positions], [columns["lat"] for columns in positions]
        return list(
            Place.published.exclude(union__path__startswith=self.union.path)
            .filter(lon__range=(min(lon) - 0.001, max(lon) + 0.001), lat__range=(min(lat) - 0.001, max(lat) + 0.001))
            .values_list("lon", "lat", "name")
        )

    def _new(self, reading: Reading, neighbours: Neighbours) -> None:
        columns = reading.columns or {}
        if reading.unclear:
            for reason in reading.unclear.values():
                reading.report.refuse(reason)
            return
        if near := neighbours.near(columns["lon"], columns["lat"]):
            reading.report.flags[Flag.NEAR_ANOTHER] = _("%(metres)d m from “%(name)s”: the same place?") % {
                "metres": near[1],
                "name": near[0],
            }
        neighbours.add(columns["lon"], columns["lat"], columns["name"])
        place = Place(union=self.union, source=self.source, source_id=reading.source_id, **columns)
        self.create.append((reading, place))

    def _again(self, reading: Reading, before: Place, same_name: Place | None) -> None:
        if before.is_closed:
            reading.report.outcome = Outcome.UNCHANGED
            reading.report.flags[Flag.CLOSED_PLACE] = _("This place is closed for good and was left alone.")
        elif same_name is not None and same_name.pk != before.pk:
            reading.report.refuse(_("Another place of the union already has this name."))
        elif names := self._differences(reading, before):
            if reading.report.outcome is not Outcome.REFUSED:
                reading.report.outcome = Outcome.CHANGED
                self.change.append((reading, before, names))
        elif reading.report.outcome is not Outcome.REFUSED:
            reading.report.outcome = Outcome.UNCHANGED

    def _same_name(self, reading: Reading, place: Place) -> None:
        if self._differences(reading, place, assign=False):
            reading.report.refuse(_("A place with this name is already in the directory."))
        elif reading.report.outcome is not Outcome.REFUSED:
            reading.report.outcome = Outcome.UNCHANGED

    def _differences(self, reading: Reading, place: Place, *, assign: bool = True) -> list[str]:
        """The columns in which the row differs from the place, which takes them over when `assign`.

        A party that is unclear and not the one the place has refuses the row.
        """
        columns = dict(reading.columns or {})
        told = {name for name in _TEXTS if name in self.mapping}
        if reading.facts is not None and not reading.facts.district:
            told.discard("district")  # it was filled in from the outline; an empty cell says nothing
        names: list[str] = [name for name in sorted(told) if getattr(place, name) != columns[name]]
        if "users" in self.mapping:
            names += [name for name in ("users", "occupations") if getattr(place, name) != columns[name]]
        if haversine_m(place.lon, place.lat, columns["lon"], columns["lat"]) > _SAME_M:
            names += ["lon", "lat", "datum_given", "position_source"]
        for name in ("entrance", "parking"):
            axes = [f"{name}_lon", f"{name}_lat"]
            if any(axis in self.mapping for axis in axes) and _moved(
                getattr(place, name), (columns[axes[0]], columns[axes[1]])
            ):
                names += axes
        names += self._other_parties(reading, place, columns)
        if reading.report.outcome is Outcome.REFUSED:
            return names
        if assign:
            for name in names:
                setattr(place, name, columns[name])
        return names + self._other_parts(reading, place)

    def _other_parties(self, reading: Reading, place: Place, columns: dict[str, Any]) -> list[str]:
        names: list[str] = []
        for name in ("host", "operator", "funder"):
            if name not in self.mapping:
                continue
            known: Union | None = getattr(place, name)
            called = known.name if known else (place.host_name if name == "host" else "")
            if reading.parties.get(name, "") == called:
                continue  # many unions are called alike, and some have ceased: this one was chosen before
            if name in reading.unclear:
                reading.report.refuse(reading.unclear[name])
            elif columns[name] != known or (name == "host" and columns["host_name"] != place.host_name):
                names += [name, "host_name"] if name == "host" else [name]
        return names

    def _other_parts(self, reading: Reading, place: Place) -> list[str]:
        """Whether offers or equipment differ. Offers in words that the importing union does not have are left alone."""
        names: list[str] = []
        if self.tells_offers and reading.facts is not None:
            known = {offer.kind.code for offer in place.known_offers}  # type: ignore[attr-defined]
            if known & set(self.kinds) != set(reading.facts.offers):
                names.append("offers")
        if "equipment" in self.mapping and any(_is_news(cell, place) for cell in reading.equipment):
            names.append("equipment")
        return names

    def _write_offers(self) -> None:
        if not self.tells_offers:
            return
        added = [
            Offer(place=place, kind=self.kinds[code]) for reading, place in self.create for code in _offers(reading)
        ]
        gone: list[int] = []
        for reading, place, names in self.change:
            if "offers" in names:
                known = {offer.kind.code: offer for offer in place.known_offers}  # type: ignore[attr-defined]
                wanted = set(_offers(reading))
                gone += [offer.pk for code, offer in known.items() if code in self.kinds and code not in wanted]
                added += [Offer(place=place, kind=self.kinds[code]) for code in sorted(wanted - set(known))]
        Offer.objects.with_scopes_disabled().filter(pk__in=gone).delete()
        Offer.objects.bulk_create(added, batch_size=_BATCH)

    def _write_equipment(self) -> None:
        """Enter what is new and change what is told otherwise; what the file does not name stays as it is."""
        if "equipment" not in self.mapping:
            return
        today = timezone.localdate()
        by_word = {kind.name_zh: kind for kind in self.kinds.values()} | {
            kind.name_en.casefold(): kind for kind in self.kinds.values()
        }
        added: list[Equipment] = []
        told = [(reading, place) for reading, place in self.create]
        told += [(reading, place) for reading, place, names in self.change if "equipment" in names]
        for reading, place in told:
            known = {thing.name: thing for thing in getattr(place, "known_equipment", ())}
            for cell in reading.equipment:
                thing = known.get(cell.name)
                if thing is None:
                    thing = Equipment(place=place, name=cell.name, offer=by_word.get(cell.name.casefold()))
                    added.append(thing)
                elif not cell.says(thing):
                    thing.told = ""  # whatever is wrong with it now is news
                else:
                    continue
                thing.state = EquipmentState.BROKEN if cell.is_broken else EquipmentState.WORKS
                thing.broken_since = (cell.broken_since or thing.broken_since or today) if cell.is_broken else None
                thing.expires_on = cell.expires_on
                if thing.pk is not None:
                    thing.save()
        Equipment.objects.bulk_create(added, batch_size=_BATCH)


def _offers(reading: Reading) -> tuple[str, ...]:
    return reading.facts.offers if reading.facts else ()


def _is_news(cell: EquipmentCell, place: Place) -> bool:
    known = {thing.name: thing for thing in place.known_equipment}  # type: ignore[attr-defined]
    return cell.name not in known or not cell.says(known[cell.name])


def _moved(before: tuple[float, float] | None, after: tuple[float | None, float | None]) -> bool:
    if before is None or after[0] is None or after[1] is None:
        return (before is None) != (after[0] is None)
    metres: float = haversine_m(*before, after[0], after[1])
    return metres > _SAME_M
