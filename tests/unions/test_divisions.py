"""The federation's unions from the administrative divisions."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from typer.testing import CliRunner

from yizhan.unions.commands import app
from yizhan.unions.divisions import read_divisions
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import AuditEntry, Level, Union
from yizhan.unions.rights import OPERATOR
from yizhan.unions.services.divisions import load_divisions
from yizhan.unions.services.tree import create_union, deactivate_union, move_union, rename_union

FILES = {
    "provinces": ["code,name", '11,"北京市"', '41,"河南省"', '44,"广东省"'],
    "cities": ["code,name,provinceCode", '1101,"市辖区",11', '4101,"郑州市",41', '4190,"省直辖县级行政区划",41',
               '4419,"东莞市",44'],
    "areas": ["code,name,cityCode,provinceCode", '110101,"东城区",1101,11', '410102,"中原区",4101,41',
              '419001,"济源市",4190,41', '441900,"东莞市",4419,44'],
    "streets": ["code,name,areaCode,provinceCode,cityCode", '110101001,"东华门街道",110101,11,1101',
                '410102100,"石佛镇",410102,41,4101', '419001001,"沁园街道",419001,41,4190',
                '441900003,"东城街道",441900,44,4419', '410102198,"中原区直辖村级区划",410102,41,4101'],
}  # fmt: skip
runner = CliRunner()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, lines in FILES.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def above(code: str) -> str | None:
    parent = Union.objects.get_parent(Union.objects.get(division_code=code))
    return parent.name if parent else None


def test_each_place_becomes_a_union_below_the_one_above(folder: Path, db: None) -> None:
    loaded = load_divisions(read_divisions(folder))
    assert (loaded.added, loaded.present) == (12, 0)
    assert above("410102100") == "中原区总工会"
    assert above("410102") == "郑州市总工会"
    assert above("4101") == "河南省总工会"
    assert above("41") is None
    assert Union.objects.find_problems() == ([], [], [], [], [])


def test_fillers_of_the_code_are_no_unions_and_what_is_below_hangs_higher(folder: Path, db: None) -> None:
    load_divisions(read_divisions(folder))
    assert above("110101") == "北京市总工会"
    assert above("419001") == "河南省总工会"
    assert above("441900003") == "东莞市总工会"
    assert Union.objects.get(name="东莞市总工会").level == Level.CITY
    assert not Union.objects.filter(name__contains="直辖").exists()
    assert not Union.objects.filter(name__contains="市辖区").exists()


def test_a_second_run_changes_nothing_not_even_what_was_changed_by_hand(folder: Path, db: None) -> None:
    divisions = read_divisions(folder)
    load_divisions(divisions)
    union = Union.objects.get(division_code="410102100")
    rename_union(actor=OPERATOR, union=union, name="石佛街道总工会")
    before = list(Union.objects.order_by("pk").values())
    loaded = load_divisions(divisions)
    assert (loaded.added, loaded.present) == (0, 12)
    assert list(Union.objects.order_by("pk").values()) == before
    assert AuditEntry.objects.with_scopes_disabled().filter(action="unions.divisions_loaded").count() == 1


def test_what_is_new_is_added_where_the_union_above_stands_now(folder: Path, db: None) -> None:
    load_divisions(read_divisions(folder))
    sector = create_union(
        actor=OPERATOR, parent=Union.objects.get(division_code="4101"), name="行业工会", level=Level.SECTOR
    )
    move_union(actor=OPERATOR, union=Union.objects.get(division_code="410102"), to=sector)
    deactivate_union(actor=OPERATOR, union=Union.objects.get(division_code="419001"))
    with (folder / "streets.csv").open("a", encoding="utf-8") as file:
        file.write('410102004,"桐柏路街道",410102,41,4101\n419001002,"济水街道",419001,41,4190\n')
    loaded = load_divisions(read_divisions(folder))
    assert (loaded.added, loaded.present) == (2, 12)
    assert above("410102004") == "中原区总工会"
    assert Union.objects.get(division_code="410102004").path.startswith(Union.objects.get(pk=sector.pk).path)
    assert not Union.objects.get(division_code="419001002").is_active
    assert Union.objects.find_problems() == ([], [], [], [], [])


def test_provinces_hang_at_the_national_federation_where_there_is_one(folder: Path, db: None) -> None:
    create_union(actor=OPERATOR, parent=None, name="全国总工会", level=Level.NATION)
    load_divisions(read_divisions(folder))
    assert above("41") == "全国总工会"
    assert Union.objects.filter(depth=1).count() == 1
    assert Union.objects.find_problems() == ([], [], [], [], [])


def test_missing_files_columns_and_divisions_are_named_and_nothing_is_written(folder: Path, db: None) -> None:
    (folder / "streets.csv").write_text("code,name,areaCode\n999999001,无处街道,999999\n", encoding="utf-8")
    with pytest.raises(RuleBroken, match="999999"):
        read_divisions(folder)
    (folder / "streets.csv").write_text("code,name\n", encoding="utf-8")
    with pytest.raises(RuleBroken, match="areaCode"):
        read_divisions(folder)
    (folder / "streets.csv").unlink()
    answer = runner.invoke(app, ["load-divisions", str(folder)])
    assert answer.exit_code == 1
    assert "streets.csv" in answer.output
    assert not Union.objects.exists()


def test_the_command_says_what_it_did(folder: Path, db: None) -> None:
    assert "12 unions added, 0 were there already." in runner.invoke(app, ["load-divisions", str(folder)]).output
    answer = runner.invoke(app, ["load-divisions"], env={"YIZHAN_DIVISIONS": str(folder)})
    assert "0 unions added, 12 were there already." in answer.output


def test_the_first_administrator_comes_from_the_command_line(folder: Path, db: None) -> None:
    load_divisions(read_divisions(folder))
    answer = runner.invoke(app, ["create-administrator", "zhang", "--union", "4101", "--name", "张主席"])
    assert answer.exit_code == 0, answer.output
    assert "One-time password: " in answer.output
    for wrong in (["zhang2", "--union", "没有"], ["zhang", "--union", "4101"]):
        assert runner.invoke(app, ["create-administrator", *wrong]).exit_code == 1
    assert "0 second factors removed." in runner.invoke(app, ["give-password", "zhang"]).output
    assert runner.invoke(app, ["give-password", "nobody"]).exit_code == 1


def test_the_real_divisions_become_a_sound_tree(db: None) -> None:
    folder = settings.SAMPLE_DATA / "divisions"
    if not (folder / "streets.csv").is_file():
        pytest.skip("the folder of sample data (YIZHAN_SAMPLE_DATA) has no divisions")
    divisions = read_divisions(folder)
    loaded = load_divisions(divisions)
    assert loaded.added == Union.objects.count() == 44_679
    assert Union.objects.filter(depth=1).count() == 31
    assert dict(Union.objects.filter(level=Level.CITY).values_list("division_code", "name"))["4101"] == "郑州市总工会"
    assert Union.objects.filter(division_code__startswith="11", level=Level.DISTRICT, depth=2).count() == 16
    assert load_divisions(divisions).added == 0
