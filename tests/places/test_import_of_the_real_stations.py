"""The 82 real stations of Zhengzhou: what goes in and what is flagged."""

from pathlib import Path

import pytest
from django.conf import settings

from tests.conftest import PostMaker, UnionTree
from yizhan.places.importing import Flag, ImportReport, Outcome
from yizhan.places.models import Place, PlaceStatus
from yizhan.places.services import import_places

FILE = Path(settings.SAMPLE_DATA) / "stations" / "zhengzhou_union_stations.csv"

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"the sample data is not there: {FILE}")


@pytest.fixture
def report(tree: UnionTree, post: PostMaker) -> ImportReport:
    return import_places(
        FILE.read_bytes(),
        file_name=FILE.name,
        union=tree.zhengzhou,
        actor=post(tree.zhengzhou),
        datum="GCJ-02",
        publish=True,
    )


def lines_with(report: ImportReport, flag: Flag) -> list[int]:
    return [row.line - 1 for row in report.rows if flag in row.flags]


def test_all_82_go_in_and_what_is_doubtful_is_flagged(report: ImportReport) -> None:
    assert [row.reasons for row in report.refused] == []
    assert report.count(Outcome.CREATED) == 82
    assert lines_with(report, Flag.OUTSIDE_STATED_DISTRICT) == [37, 61, 77, 79]
    assert lines_with(report, Flag.MISPLACED) == [8]
    assert lines_with(report, Flag.FUNCTIONAL_ZONE) == [1, 2, 3, 4, 5, 6, 7, 8, 22, 23, 70, 82]
    assert lines_with(report, Flag.VAGUE_HOURS) == [45, 46]
    assert lines_with(report, Flag.UNKNOWN_DISTRICT) == []


def test_doubtful_positions_stay_drafts_until_someone_has_looked(report: ImportReport) -> None:
    doubtful = Place.objects.with_scopes_disabled().filter(status=PlaceStatus.DRAFT)
    assert {place.source_id for place in doubtful} == {"8", "37", "61", "77", "79"}
    assert Place.published.count() == report.published == 77
