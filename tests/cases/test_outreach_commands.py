"""The command line around links, visits and the ledger, and what the sample city shows of them."""

from __future__ import annotations

from pathlib import Path

from django_scopes import scope
from openpyxl import load_workbook
from typer.testing import CliRunner

from tests.conftest import PostMaker, UnionTree, WorkerMaker
from yizhan.cases import outreach_sample
from yizhan.cases.models import Case, HandOver, Link, Project, Task, TaskPass, Visit
from yizhan.cases.outreach_commands import app
from yizhan.unions.rights import Role


def _counts() -> list[int]:
    models = (Link, HandOver, Visit, Case, Project, Task, TaskPass)
    return [model.objects.with_scopes_disabled().count() for model in models]


def test_the_sample_is_harmless_twice_and_the_commands_count_import_and_export_it(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker, tmp_path: Path
) -> None:
    city = post(tree.zhengzhou)
    post(tree.zhongyuan, Role.CADRE)
    for _ in range(3):
        worker(tree.shifo)
    for _ in range(2):
        with scope(union=tree.zhengzhou.path):
            outreach_sample.fill(tree.zhengzhou, actor=city, seed=1)
        filled = _counts()
        assert all(filled)
    assert filled == _counts()

    run = CliRunner().invoke
    told = run(app, ["reach", "--union", "4101"])
    assert told.exit_code == 0
    assert " 18 " in told.output, "two posts with nine visits each"
    assert run(app, ["gaps", "--union", "郑州市"]).exit_code == 0
    assert run(app, ["reach", "--union", "没有这个工会"]).exit_code == 2

    name = Project.objects.with_scopes_disabled().get().name
    file = tmp_path / "台账.xlsx"
    assert run(app, ["export-ledger", str(file), "--union", "4101", "--project", name]).exit_code == 0
    rows = Task.objects.with_scopes_disabled().count()
    assert load_workbook(file).active.max_row == rows + 3
    again = run(app, ["import-ledger", str(file), "--union", "4101", "--project", name])
    assert again.exit_code == 0, again.output
    assert "4 same" in again.output
    assert run(app, ["import-ledger", str(file), "--union", "4101", "--project", "新的", "--dry-run"]).exit_code == 2
    file.write_bytes(b"junk")
    assert run(app, ["import-ledger", str(file), "--union", "4101", "--project", name]).exit_code == 2
    assert _counts() == filled
