"""How fast the directory is read by partners and pushed to them."""

from collections.abc import Iterator

from benchmarks import feeds_reading
from benchmarks.report import Row, main


def measure(quick: bool) -> Iterator[Row]:
    """Read the directory as partners do."""
    yield from feeds_reading.measure(quick)


if __name__ == "__main__":
    main("feeds", measure)
