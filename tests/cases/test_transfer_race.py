"""转办 under contest: of accepting, refusing and taking back at once exactly one holds, and the case has one owner."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection

from tests.cases.case_makers import make_case
from tests.conftest import PostMaker, UnionTree
from yizhan.cases.models import Case, CaseEvent, CaseParty
from yizhan.cases.services.log import rebuild_case
from yizhan.cases.services.transfers import accept_transfer, cancel_transfer, offer_transfer, refuse_transfer
from yizhan.unions.errors import RuleBroken
from yizhan.unions.rights import Role

ROUNDS = 4


def at_once(acts: dict[str, Callable[[], object]]) -> set[str]:
    """Do all of it in the same moment, each in a thread of its own; gives the names of what was not refused."""
    done: set[str] = set()
    unexpected: list[Exception] = []
    gate = threading.Barrier(len(acts))

    def run(name: str, act: Callable[[], object]) -> None:
        gate.wait(30)
        try:
            act()
            done.add(name)
        except RuleBroken:
            pass
        except Exception as error:  # noqa: BLE001 - told by the test, not lost with the thread
            unexpected.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=item) for item in acts.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not unexpected
    return done


@pytest.mark.django_db(transaction=True)
def test_accepted_and_taken_back_at_once_exactly_one_holds_and_no_owner_is_lost(
    tree: UnionTree, post: PostMaker
) -> None:
    here = post(tree.zhongyuan, Role.CADRE)
    there, colleague = post(tree.jinshui, Role.CADRE), post(tree.jinshui, Role.CADRE)
    for _round in range(ROUNDS):
        case = make_case(tree.zhongyuan, actor=here)
        offer_transfer(case, to=tree.jinshui, actor=here, words="属地在金水")
        seen = Case.objects.with_scopes_disabled().get(pk=case.pk).version
        done = at_once(
            {
                "accepted": partial(accept_transfer, case, actor=there, seen=seen),
                "accepted by a colleague": partial(accept_transfer, case, actor=colleague, seen=seen),
                "refused": partial(refuse_transfer, case, actor=there, words="不在我区", seen=seen),
                "taken back": partial(cancel_transfer, case, actor=here, seen=seen),
            }
        )
        assert len(done) == 1
        now = Case.objects.with_scopes_disabled().get(pk=case.pk)
        moved = "accepted" in next(iter(done))
        assert now.union == (tree.jinshui if moved else tree.zhongyuan)
        assert now.offered_to is None
        parties = CaseParty.objects.with_scopes_disabled().filter(case=case, role="earlier_owner")
        assert [party.union for party in parties] == ([tree.zhongyuan] if moved else [])
        ends = {"transfer_accepted", "transfer_refused", "transfer_cancelled"}
        steps = CaseEvent.objects.with_scopes_disabled().filter(case=case).order_by("number")
        assert len([step for step in steps if step.kind in ends]) == 1
        assert [step.number for step in steps] == list(range(1, len(steps) + 1))
        assert rebuild_case(now, check=True) == []
