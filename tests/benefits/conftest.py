"""A kitchen to test with: places, programmes and offers, made through the services as every page does."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.conftest import PostMaker, UnionTree, WorkerMaker
from tests.places.conftest import PlaceMaker, shanghai
from yizhan.benefits.models import (
    AccountKind,
    BenefitOffer,
    Budget,
    BudgetShard,
    Entry,
    LedgerTransaction,
    PartyKind,
    Programme,
    ProgrammeState,
    Redemption,
    Span,
)
from yizhan.benefits.services.budgets import set_budget
from yizhan.benefits.services.ledger import account_of
from yizhan.benefits.services.offers import set_offer
from yizhan.benefits.services.programmes import ProgrammeFacts, create_programme, step_programme
from yizhan.benefits.services.redeeming import Receipt, redeem
from yizhan.benefits.split import Part
from yizhan.places.models import Place
from yizhan.unions.models import Union, Worker
from yizhan.unions.rights import OPERATOR

NOON = shanghai(2026, 11, 24, 12, 0)  # a Tuesday


@dataclass
class Kitchen:
    """Makes what a test eats: `kitchen.offer()` is an open nine-yuan meal of 15 yuan, 4 of them the union's."""

    tree: UnionTree
    place: Place
    post: PostMaker
    worker: WorkerMaker
    numbers: dict[str, int] = field(default_factory=dict)

    def programme(self, *, union: Union | None = None, **facts: Any) -> Programme:
        """A draft that begins on 1 November 2026 and has no end."""
        self.numbers["programme"] = number = self.numbers.get("programme", 0) + 1
        values: dict[str, Any] = {"name": f"九元餐{number}", "starts_on": date(2026, 11, 1), **facts}
        return create_programme(ProgrammeFacts(**values), union=union or self.tree.zhongyuan, actor=OPERATOR)

    def parts(self, programme: Programme, union_fen: int = 400, merchant_fen: int = 200) -> list[Part]:
        """The worker takes the remainder."""
        return [
            Part(PartyKind.WORKER, None),
            Part(PartyKind.MERCHANT, merchant_fen),
            Part(PartyKind.UNION, union_fen, union=programme.union),
        ]

    def offer(
        self,
        programme: Programme | None = None,
        *,
        place: Place | None = None,
        name: str = "九元套餐",
        price: int = 1500,
        parts: list[Part] | None = None,
        opened: bool = True,
        **facts: Any,
    ) -> BenefitOffer:
        """An offer of an open programme."""
        programme = programme or self.programme(**facts)
        made = set_offer(
            programme,
            place=place or self.place,
            name=name,
            list_price_fen=price,
            parts=parts or self.parts(programme),
            actor=OPERATOR,
        )
        if opened:
            step_programme(programme, ProgrammeState.OPEN, actor=OPERATOR)
        return (
            BenefitOffer.objects.with_scopes_disabled()
            .select_related("programme__union", "place__union")
            .get(pk=made.pk)
        )

    def budget(
        self, offer: BenefitOffer, cap_fen: int, *, span: Span = Span.TOTAL, union: Union | None = None, **how: Any
    ) -> Budget:
        """A cap on what the programme's union gives."""
        account = account_of(AccountKind.UNION, union=union or offer.programme.union)
        return set_budget(account=account, programme=offer.programme, span=span, cap_fen=cap_fen, actor=OPERATOR, **how)

    def eat(
        self,
        offer: BenefitOffer,
        worker: Worker | None,
        *,
        at: datetime = NOON,
        request_id: UUID | None = None,
        **how: Any,
    ) -> Receipt:
        """Redeem, by the operator's hand."""
        return redeem(
            offer=offer,
            worker=worker,
            request_id=request_id or uuid4(),
            device=how.pop("device", "counter-1"),
            actor=how.pop("actor", OPERATOR),
            at=at,
            **how,
        )


def spent(budget: Budget) -> int:
    """What all shares of a budget have spent, in fen."""
    return sum(BudgetShard.objects.with_scopes_disabled().filter(budget=budget).values_list("spent_fen", flat=True))


def books() -> dict[str, int]:
    """The sum of all entries by kind of account, in fen; kinds that are even are left out."""
    sums: dict[str, int] = {}
    for kind, fen in Entry.objects.with_scopes_disabled().values_list("account__kind", "fen"):
        sums[kind] = sums.get(kind, 0) + fen
    return {kind: fen for kind, fen in sums.items() if fen}


def counted() -> tuple[int, int]:
    """How many redemptions and how many ledger transactions there are."""
    rows = (Redemption, LedgerTransaction)
    return tuple(model.objects.with_scopes_disabled().count() for model in rows)  # type: ignore[return-value]


@pytest.fixture
def make_place(post: PostMaker) -> PlaceMaker:
    return PlaceMaker(post)


@pytest.fixture
def kitchen(tree: UnionTree, make_place: PlaceMaker, post: PostMaker, worker: WorkerMaker) -> Kitchen:
    """At a published rider restaurant of Zhongyuan district."""
    return Kitchen(tree, make_place(tree.zhongyuan, name="碧沙岗惠骑餐厅", kind="restaurant"), post, worker)


@pytest.fixture
def offer(kitchen: Kitchen) -> BenefitOffer:
    """A nine-yuan meal of an open programme without quotas or budgets."""
    return kitchen.offer()


@pytest.fixture
def rider(kitchen: Kitchen) -> Worker:
    """A food rider of Shifo street, below Zhongyuan."""
    return kitchen.worker(kitchen.tree.shifo)
