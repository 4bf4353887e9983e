"""How fast the directory is read by partners and pushed to them."""

from collections.abc import Iterator

from benchmarks import feeds_reading, feeds_webhooks
from benchmarks.report import Row, main


def measure(quick: bool) -> Iterator[Row]:
    """Read the directory as partners do, and push to them."""
    yield from feeds_reading.measure(quick)
    yield from feeds_webhooks.measure(quick)


if __name__ == "__main__":
    main("feeds", measure)
