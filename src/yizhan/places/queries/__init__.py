"""Every read of the directory that is more than one line: `public` for everyone, `desk` scoped to the asking staff."""

from .public import (
    DistrictGroup,
    NearbyPlace,
    nearest_published,
    public_place,
    published_by_district,
    published_places,
    search_published,
)

__all__ = [
    "DistrictGroup",
    "NearbyPlace",
    "nearest_published",
    "public_place",
    "published_by_district",
    "published_places",
    "search_published",
]
