"""The sample city's cases: in every state, and their columns agree with their log."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from tests.conftest import PostMaker, UnionTree, WorkerMaker
from yizhan.cases.commands import app
from yizhan.cases.models import Case, CaseState
from yizhan.cases.sample_cases import make_sample_cases


@pytest.mark.django_db
def test_the_sample_shows_every_state_and_agrees_with_its_log(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    post(tree.zhengzhou)
    post(tree.jinshui)
    worker(tree.jinshui)
    assert make_sample_cases(tree.zhengzhou, seed=7) == 150
    assert make_sample_cases(tree.zhengzhou, seed=7) == 0
    states = set(Case.objects.with_scopes_disabled().values_list("state", flat=True))
    assert states >= set(CaseState.values) - {CaseState.ACCEPTED, CaseState.WITHDRAWN, CaseState.MERGED}
    checked = CliRunner().invoke(app, ["rebuild", "--check"])
    assert checked.exit_code == 0, checked.output
    assert "150 cases, 0 differ" in checked.output
    Case.objects.with_scopes_disabled().filter(state=CaseState.CLOSED).update(state=CaseState.ACCEPTED)
    assert CliRunner().invoke(app, ["rebuild", "--check"]).exit_code == 1
    assert CliRunner().invoke(app, ["rebuild"]).exit_code == 0
    assert CliRunner().invoke(app, ["rebuild", "--check"]).exit_code == 0
