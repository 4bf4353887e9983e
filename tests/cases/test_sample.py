"""The sample city's cases: in every state, and their columns agree with their log."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from tests.conftest import PostMaker, UnionTree, WorkerMaker
from yizhan.cases import sample_wishes
from yizhan.cases.commands import app
from yizhan.cases.models import Case, CaseState, FollowUp, Helper, Meeting, StockIssue, Wish
from yizhan.cases.sample_cases import make_sample_cases
from yizhan.unions.rights import Role


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


@pytest.mark.django_db
def test_the_sample_shows_wishes_things_duty_and_a_consultation_and_is_harmless_twice(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    actor = post(tree.zhengzhou)
    post(tree.jinshui, Role.CADRE)
    for _ in range(4):
        worker(tree.jinshui)
    make_sample_cases(tree.zhengzhou, seed=7)
    sample_wishes.fill(tree.zhengzhou, actor=actor, seed=7)
    counts = [model.objects.with_scopes_disabled().count() for model in (Wish, StockIssue, Meeting, FollowUp)]
    assert all(counts)
    assert Helper.rules.exists()
    assert {wish.state for wish in Wish.objects.with_scopes_disabled().all()} >= {"published", "claimed", "delivered"}
    sample_wishes.fill(tree.zhengzhou, actor=actor, seed=7)
    assert counts == [model.objects.with_scopes_disabled().count() for model in (Wish, StockIssue, Meeting, FollowUp)]
    checked = CliRunner().invoke(app, ["rebuild", "--check"])
    assert checked.exit_code == 0, checked.output
