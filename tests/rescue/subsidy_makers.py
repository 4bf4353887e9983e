"""A subsidy to test with: a repair point, a programme that pays it, and calls that are mended there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from django.utils import timezone

from tests.places.conftest import PlaceMaker
from tests.rescue.rescue_makers import Street, photo
from yizhan.places.models import Place
from yizhan.rescue.models import RescueCall, Rescuer, Subsidy, SubsidyTerms
from yizhan.rescue.queries import subsidies as queries
from yizhan.rescue.services import answers
from yizhan.rescue.services.calls import confirm_done
from yizhan.rescue.services.desk import assign_call
from yizhan.rescue.services.subsidies import pay_due
from yizhan.rescue.services.terms import SubsidyFacts, TermsFacts, create_subsidy
from yizhan.unions.models import Staff, Union

AMOUNT: Final = 100_00


class Purse:
    """A repair point, a programme of 100 yuan a rescue, and rescuers who settle there."""

    def __init__(self, street: Street, make_place: PlaceMaker) -> None:
        self.street = street
        self.point: Place = make_place(street.tree.zhengzhou, name="老李修车", kind="repair_point")
        self.terms: SubsidyTerms | None = None

    def open(self, *, union: Union | None = None, actor: Staff | None = None, **told: Any) -> SubsidyTerms:
        terms = {name: told.pop(name) for name in ("problems", "proof_radius_m") if name in told}
        facts = {"name": f"救援补助{uuid4().hex[:6]}", "starts_on": timezone.localdate() - timedelta(days=9), **told}
        facts.setdefault("cap_fen", 1000_00)
        self.terms = create_subsidy(
            SubsidyFacts(terms=TermsFacts(amount_fen=AMOUNT, **terms), **facts),
            union=union or self.street.tree.zhengzhou,
            actor=actor or self.street.boss,
        )
        return self.terms

    def rescuer(self, *, paid: bool = True, **facts: Any) -> Rescuer:
        return self.street.rescuer(paid_at=self.point if paid else None, **facts)

    def mended(
        self, rescuer: Rescuer | None = None, *, call: RescueCall | None = None, away_m: float = 30.0, **facts: Any
    ) -> RescueCall:
        """A call that a rescuer has mended, standing so far from the rider; not confirmed yet."""
        who = rescuer or self.rescuer()
        call = call or self.street.call(**facts)
        assign_call(call, who, actor=self.street.boss)
        there = (call.lon + away_m / 91_400, call.lat)
        answers.arrive(call, rescuer=who, position=there)
        return answers.finish(call, rescuer=who, photo=photo(), request_id=uuid4(), position=there)

    def confirmed(self, rescuer: Rescuer | None = None, **told: Any) -> Subsidy:
        """As `mended`, then confirmed by the rider and tried once."""
        call = self.mended(rescuer, **told)
        confirm_done(call, stars=5)
        pay_due()
        return self.of(call)

    @staticmethod
    def of(call: RescueCall) -> Subsidy:
        return queries.of_call(call)[0]
