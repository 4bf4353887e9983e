"""What the direct call of the function that redeems keeps, and what the database refuses by itself."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from tests.benefits.conftest import NOON, Kitchen
from yizhan.benefits.models import BenefitOffer, LedgerTransaction, Redemption, TransactionKind
from yizhan.benefits.services.redeeming import redeem
from yizhan.unions.models import Worker
from yizhan.unions.rights import OPERATOR

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("is_pooled", [False, True])
def test_a_meal_is_the_same_whether_or_not_a_pooler_stands_between(
    kitchen: Kitchen, offer: BenefitOffer, rider: Worker, monkeypatch: pytest.MonkeyPatch, is_pooled: bool
) -> None:
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", is_pooled)
    request = uuid4()

    first = kitchen.eat(offer, rider, request_id=request)
    again = kitchen.eat(offer, rider, request_id=request)

    row = first.redemption()
    assert (first.public_id, first.day, first.redeemed_at) == (row.public_id, row.day, row.redeemed_at)
    assert (again.redemption_id, again.repeated) == (first.redemption_id, True)


def test_a_device_whose_name_holds_a_nul_is_refused_instead_of_cut_off(
    kitchen: Kitchen, offer: BenefitOffer, rider: Worker
) -> None:
    with pytest.raises(DataError), transaction.atomic():
        redeem(offer=offer, worker=rider, request_id=uuid4(), device="till\x00two", actor=OPERATOR, at=NOON)

    assert not Redemption.objects.with_scopes_disabled().exists()


@pytest.mark.parametrize(
    "change",
    [
        {"state": "eaten"},
        {"state": "voided"},
        {"ended_at": NOON + timedelta(minutes=1)},
        {"list_price_fen": -1},
        {"funded_fen": -1},
        {"distance_m": -1},
    ],
    ids=str,
)
def test_the_database_refuses_a_redemption_that_cannot_be(
    kitchen: Kitchen, offer: BenefitOffer, rider: Worker, change: dict[str, object]
) -> None:
    receipt = kitchen.eat(offer, rider)

    with pytest.raises(IntegrityError), transaction.atomic():
        Redemption.objects.with_scopes_disabled().filter(pk=receipt.redemption_id).update(**change)


@pytest.mark.parametrize(("kind", "says"), [("gift", "kind_is_known"), (TransactionKind.ADJUSTED, "has no entries")])
def test_the_database_refuses_a_transaction_of_no_kind_or_without_entries(
    kitchen: Kitchen, offer: BenefitOffer, kind: str, says: str
) -> None:
    with pytest.raises(IntegrityError, match=says):
        _post_without_entries(offer, kind)


@transaction.atomic
def _post_without_entries(offer: BenefitOffer, kind: str) -> None:
    LedgerTransaction.objects.with_scopes_disabled().create(
        kind=kind, union=offer.programme.union, memo="", happened_at=NOON, posted_at=NOON
    )
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
