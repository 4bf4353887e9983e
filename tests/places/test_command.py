from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.conftest import UnionTree
from yizhan.places.commands import app
from yizhan.places.models import Place

FILE = "名称,经度,纬度,营业时间\n甲站,113.60,34.75,24小时\n乙站,0,0,\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "stations.csv"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_the_command_imports_good_rows_and_writes_the_others_to_a_file(tree: UnionTree, file: Path) -> None:
    rejects = file.with_name("rejects.csv")
    result = CliRunner().invoke(
        app, ["places", str(file), "--union", "4101", "--datum", "GCJ-02", "--publish", "--rejects", str(rejects)]
    )
    assert result.exit_code == 3, result.output
    assert "1 created" in result.output
    assert Place.published.get().name == "甲站"
    assert "乙站" in rejects.read_text(encoding="utf-8-sig")


def test_the_command_refuses_a_file_without_a_datum_and_an_unknown_union(tree: UnionTree, file: Path) -> None:
    without = CliRunner().invoke(app, ["places", str(file), "--union", "4101"])
    assert without.exit_code == 2
    assert "datum" in without.output
    unknown = CliRunner().invoke(app, ["places", str(file), "--union", "9999", "--datum", "GCJ-02"])
    assert unknown.exit_code == 2
    assert "union" in unknown.output
    assert not Place.objects.with_scopes_disabled().exists()


def test_the_command_takes_columns_by_name(tree: UnionTree, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("站,东,北\n甲站,113.60,34.75\n", encoding="utf-8")
    options = ["places", str(path), "--union", str(tree.zhengzhou.public_id), "--datum", "wgs84"]
    assert CliRunner().invoke(app, options).exit_code == 2
    assert CliRunner().invoke(app, [*options, "--columns", "name=站,lon=东,lat=北"]).exit_code == 0
    assert Place.objects.with_scopes_disabled().get().name == "甲站"
    assert CliRunner().invoke(app, [*options, "--columns", "name=没有"]).exit_code == 2
