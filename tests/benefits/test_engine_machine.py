"""Redeeming, voiding, refunding, deciding, changing caps and quotas in any order: what must always hold, holds."""
# ruff: noqa: PT017 - whether a rule refuses depends on what came before; if it does, by its own name

from __future__ import annotations

import os
from datetime import timedelta
from uuid import UUID

import hypothesis.strategies as st
import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.benefits.conftest import NOON, Kitchen, books, spent
from yizhan.benefits.books import verify_books
from yizhan.benefits.models import BenefitOffer, Budget, Entry, Redemption, RedemptionState, Span
from yizhan.benefits.refusals import Refused
from yizhan.benefits.services.programmes import ProgrammeFacts, change_programme
from yizhan.benefits.services.redeeming import Receipt
from yizhan.benefits.services.sealing import seal_once
from yizhan.benefits.services.taking_back import decide_exception, refund, void
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Worker
from yizhan.unions.rights import OPERATOR

EXAMPLES = int(os.environ.get("YIZHAN_TEST_MACHINE_EXAMPLES", "6"))
STEPS = int(os.environ.get("YIZHAN_TEST_MACHINE_STEPS", "20"))
UNION_FEN = 400


@pytest.mark.usefixtures("db")
def test_books_balance_and_no_cap_or_quota_is_passed_in_whatever_order(kitchen: Kitchen) -> None:  # noqa: C901
    class Engine(RuleBasedStateMachine):
        @initialize(total=st.integers(0, 12), daily=st.integers(0, 6), quota=st.integers(1, 3))
        def begin(self, total: int, daily: int, quota: int) -> None:
            self.point = transaction.savepoint()
            self.offer: BenefitOffer = kitchen.offer(quota_day=quota, place_quota_day=9)
            self.quota = quota
            self.riders: list[Worker] = [kitchen.worker(kitchen.tree.shifo) for _rider in range(3)]
            self.caps: dict[Span, Budget] = {
                span: kitchen.budget(self.offer, meals * UNION_FEN + 399, span=span, shards=3)
                for span, meals in ((Span.TOTAL, total), (Span.DAY, daily))
            }
            self.answers: dict[UUID, tuple[int, int, Receipt]] = {}
            self.waived = 0
            self.refused: set[UUID] = set()

        def teardown(self) -> None:
            if hasattr(self, "point"):
                transaction.savepoint_rollback(self.point)

        @rule(request=st.uuids(version=4), rider=st.integers(0, 2), day=st.integers(0, 1), offline=st.booleans())
        def redeem(self, request: UUID, rider: int, day: int, *, offline: bool) -> None:
            try:
                receipt = kitchen.eat(
                    self.offer,
                    self.riders[rider],
                    request_id=request,
                    at=NOON - timedelta(days=day),
                    offline=offline,
                )
            except Refused as refused:
                assert refused.code in {"quota_day", "place_quota", "budget"}
                self.refused.add(request)
                return
            self.answers.setdefault(request, (rider, day, receipt))

        @rule(pick=st.integers(0, 10_000))
        def repeat(self, pick: int) -> None:
            if not self.answers:
                return
            request = sorted(self.answers)[pick % len(self.answers)]
            rider, day, first = self.answers[request]
            again = kitchen.eat(self.offer, self.riders[rider], request_id=request, at=NOON - timedelta(days=day))
            assert again.repeated
            assert again.public_id == first.public_id

        @rule(pick=st.integers(0, 10_000), how=st.sampled_from(["void", "refund", "accept", "refuse"]))
        def take_back_or_decide(self, pick: int, how: str) -> None:
            rows = list(Redemption.objects.with_scopes_disabled().filter(programme=self.offer.programme).order_by("pk"))
            if not rows:
                return
            row = rows[pick % len(rows)]
            try:
                if how in {"accept", "refuse"}:
                    before = row.state
                    after = decide_exception(row, actor=OPERATOR, accept=how == "accept").state
                    self.waived += (before, after) == (RedemptionState.EXCEPTION, RedemptionState.REDEEMED)
                else:
                    (void if how == "void" else refund)(row, actor=OPERATOR, reason="试一试")
            except Refused as refused:
                assert refused.code == "budget"
            except RuleBroken as broken:
                assert broken.problems[0].code == "wrong_state"

        @rule(span=st.sampled_from([Span.TOTAL, Span.DAY]), meals=st.integers(0, 15))
        def change_cap(self, span: Span, meals: int) -> None:
            try:
                self.caps[span] = kitchen.budget(self.offer, meals * UNION_FEN + 17, span=span)
            except RuleBroken as broken:
                assert broken.problems[0].code == "below_spent"

        @rule(quota=st.integers(1, 4))
        def change_quota(self, quota: int) -> None:
            programme = self.offer.programme
            programme.refresh_from_db()
            facts = ProgrammeFacts.of(programme)
            change_programme(
                programme,
                ProgrammeFacts(name=facts.name, starts_on=facts.starts_on, quota_day=quota, place_quota_day=9),
                revision=programme.revision,
                actor=OPERATOR,
            )
            self.quota = max(self.quota, quota)

        @rule()
        def seal(self) -> None:
            seal_once(most=3)

        @invariant()
        def all_holds(self) -> None:
            if not hasattr(self, "offer"):
                return
            mine = Redemption.objects.with_scopes_disabled().filter(programme=self.offer.programme)
            counting = list(mine.filter(state=RedemptionState.REDEEMED))
            assert spent(self.caps[Span.TOTAL]) == len(counting) * UNION_FEN <= self.caps[Span.TOTAL].cap_fen
            assert mine.count() == len({(row.device, row.request_id) for row in mine})
            assert len(mine) == len(self.answers)
            for rider in self.riders:
                for day in {row.day for row in counting}:
                    eaten = [row for row in counting if row.worker_id == rider.pk and row.day == day]
                    assert len(eaten) <= self.quota + self.waived
            entries = Entry.objects.with_scopes_disabled().filter(transaction__programme=self.offer.programme)
            assert sum(entries.values_list("fen", flat=True)) == 0
            assert books().get("merchant", 0) == len(counting) * 1500
            assert verify_books().problems == []

    run_state_machine_as_test(
        Engine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
