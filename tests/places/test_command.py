from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone
from typer.testing import CliRunner

from tests.conftest import UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.places.commands import app
from yizhan.places.models import Place
from yizhan.places.services.reports import report_fault
from yizhan.unions.models import AuditEntry

FILE = "名称,经度,纬度,营业时间\n甲站,113.60,34.75,24小时\n乙站,0,0,\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "stations.csv"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_the_command_imports_good_rows_and_writes_the_others_to_a_file(tree: UnionTree, file: Path) -> None:
    rejects = file.with_name("rejects.csv")
    result = CliRunner().invoke(
        app,
        ["import", "places", str(file), "--union", "4101", "--datum", "GCJ-02", "--publish", "--rejects", str(rejects)],
    )
    assert result.exit_code == 3, result.output
    assert "1 created" in result.output
    assert Place.published.get().name == "甲站"
    assert "乙站" in rejects.read_text(encoding="utf-8-sig")


def test_the_command_refuses_a_file_without_a_datum_and_an_unknown_union(tree: UnionTree, file: Path) -> None:
    without = CliRunner().invoke(app, ["import", "places", str(file), "--union", "4101"])
    assert without.exit_code == 2
    assert "datum" in without.output
    unknown = CliRunner().invoke(app, ["import", "places", str(file), "--union", "9999", "--datum", "GCJ-02"])
    assert unknown.exit_code == 2
    assert "union" in unknown.output
    assert not Place.objects.with_scopes_disabled().exists()


def test_the_command_takes_columns_by_name(tree: UnionTree, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("站,东,北\n甲站,113.60,34.75\n", encoding="utf-8")
    options = ["import", "places", str(path), "--union", str(tree.zhengzhou.public_id), "--datum", "wgs84"]
    assert CliRunner().invoke(app, options).exit_code == 2
    assert CliRunner().invoke(app, [*options, "--columns", "name=站,lon=东,lat=北"]).exit_code == 0
    assert Place.objects.with_scopes_disabled().get().name == "甲站"
    assert CliRunner().invoke(app, [*options, "--columns", "name=没有"]).exit_code == 2


def test_reports_are_listed_counted_and_taken_home_from_the_command_line(
    tree: UnionTree, make_place: PlaceMaker, tmp_path: Path
) -> None:
    late, fresh, theirs = (
        make_place(tree.zhongyuan, name="[red]甲站"),
        make_place(tree.jinshui),
        make_place(tree.shenzhen),
    )
    long_ago = timezone.now() - timedelta(days=40)
    report_fault(late, kind="door_locked", request_id=uuid4(), at=long_ago)
    assert CliRunner().invoke(app, ["reports", "overdue", "--union", "410105"]).exit_code == 0
    report_fault(fresh, kind="no_water", request_id=uuid4())
    report_fault(theirs, kind="no_water", request_id=uuid4(), at=long_ago)
    listed = CliRunner().invoke(app, ["reports", "list", "--union", "4101"], env={"COLUMNS": "200"})
    assert listed.exit_code == 0, listed.output
    assert "2 reports." in listed.output
    assert "1 of 2" in CliRunner().invoke(app, ["reports", "list", "--union", "4101", "--limit", "1"]).output
    overdue = CliRunner().invoke(app, ["reports", "overdue", "--union", "4101"], env={"COLUMNS": "200"})
    assert overdue.exit_code == 3
    assert "1 reports." in overdue.output
    file = tmp_path / "reports.csv"
    done = CliRunner().invoke(app, ["reports", "export", str(file), "--union", "4101"])
    assert done.exit_code == 0, done.output
    assert len(file.read_text("utf-8-sig").splitlines()) == 3
    entry = AuditEntry.objects.with_scopes_disabled().get(action="places.reports_exported")
    assert entry.details == {"rows": 2, "form": "csv", "by": "operator"}
    assert CliRunner().invoke(app, ["reports", "export", str(tmp_path / "a.pdf"), "--union", "4101"]).exit_code == 2
    assert CliRunner().invoke(app, ["reports", "list", "--union", "nowhere"]).exit_code == 2
