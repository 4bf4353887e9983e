"""What a counter redeemed without a network: each is accounted for, nothing vanishes, nothing counts twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from tests.benefits.conftest import Kitchen, books
from tests.benefits.counter_people import WorkersPhone, at_counter
from yizhan.benefits.models import BenefitOffer, CodeSighting, Redemption, Upload
from yizhan.benefits.queries.counters import exceptions
from yizhan.benefits.services.phones import block
from yizhan.benefits.services.scanning import redeem_scanned
from yizhan.benefits.services.uploads import Told, decide, take_down
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Worker
from yizhan.unions.rights import NotAllowed, Role

DEVICE = "phone-0001"


@pytest.fixture
def now() -> datetime:
    """Uploads are judged by the clock of the server, so that these tests run today."""
    return timezone.now()


@pytest.fixture
def cashier(offer: BenefitOffer) -> Staff:
    return at_counter(offer.place)


@pytest.fixture
def phone(rider: Worker, now: datetime) -> WorkersPhone:
    return WorkersPhone.of(rider, now - timedelta(days=1))


def told(offer: BenefitOffer, text: str, at: datetime, request_id: UUID | None = None) -> Told:
    return Told(request_id or uuid4(), offer.public_id, text, at)


def upload(cashier: Staff, offer: BenefitOffer, one: Told, *, device: str = DEVICE) -> Upload:
    return take_down(one, cashier=cashier, place=offer.place, device=device)


def test_an_upload_is_a_redemption_at_the_time_signed_in_the_code(
    offer: BenefitOffer, cashier: Staff, phone: WorkersPhone, now: datetime
) -> None:
    eaten = now - timedelta(hours=3)
    kept = upload(cashier, offer, told(offer, phone.code(eaten), eaten))
    assert kept.state == "accepted"
    row = kept.redemption
    assert row is not None
    assert (row.state, row.offline, row.worker) == ("redeemed", True, phone.worker)
    assert timedelta(0) <= eaten - row.redeemed_at < timedelta(seconds=30)


def test_an_upload_told_again_counts_once(
    offer: BenefitOffer, cashier: Staff, phone: WorkersPhone, now: datetime
) -> None:
    one = told(offer, phone.code(now), now)
    assert upload(cashier, offer, one).pk == upload(cashier, offer, one).pk
    assert Redemption.objects.with_scopes_disabled().count() == 1


def test_a_request_that_reached_us_before_its_answer_was_lost_counts_once(
    offer: BenefitOffer, cashier: Staff, phone: WorkersPhone, now: datetime
) -> None:
    text, request_id = phone.code(now), uuid4()
    online = redeem_scanned(
        cashier=cashier, place=offer.place, offer=offer.public_id, text=text, request_id=request_id, device=DEVICE
    )
    kept = upload(cashier, offer, told(offer, text, now, request_id))
    assert (kept.state, kept.redemption_id) == ("accepted", online.redemption_id)
    assert Redemption.objects.with_scopes_disabled().count() == 1


def test_over_quota_is_an_exception_that_finance_decides(kitchen: Kitchen, now: datetime, rider: Worker) -> None:
    offer = kitchen.offer(kitchen.programme(quota_day=1))
    cashier, phone = at_counter(offer.place), WorkersPhone.of(rider, now - timedelta(days=1))
    first, second, third = (upload(cashier, offer, told(offer, phone.code(now), now)) for _n in range(3))
    assert [(one.state, one.reason) for one in (first, second)] == [("accepted", ""), ("exception", "rule")]
    assert second.redemption is not None
    assert second.redemption.reason == "quota_day"
    finance = kitchen.post(kitchen.tree.zhongyuan, Role.FINANCE)
    assert set(exceptions(for_staff=finance)) == {second, third}
    assert decide(second, accept=True, actor=finance, words="当天两班").state == "accepted"
    assert decide(third, accept=False, actor=finance, words="重复").state == "set_aside"
    states = Redemption.objects.with_scopes_disabled().order_by("pk").values_list("state", flat=True)
    assert list(states) == ["redeemed", "redeemed", "voided"]
    assert books()["merchant"] == 2 * 1500
    with pytest.raises(RuleBroken):
        decide(second, accept=False, actor=finance, words="改主意")


def test_the_same_code_from_two_counters_counts_once_and_the_other_is_listed(
    offer: BenefitOffer, cashier: Staff, phone: WorkersPhone, now: datetime, kitchen: Kitchen, make_place: object
) -> None:
    other = kitchen.offer(
        offer.programme,
        place=make_place(kitchen.tree.zhongyuan, name="隔壁", kind="restaurant"),  # type: ignore[operator]
        opened=False,
    )
    text = phone.code(now)
    here = upload(cashier, offer, told(offer, text, now))
    there = upload(at_counter(other.place), other, told(other, text, now), device="phone-0002")
    assert (here.state, there.state, there.reason) == ("accepted", "exception", "duplicate")
    places = CodeSighting.objects.with_scopes_disabled().values_list("place_id", flat=True).distinct()
    assert set(places) == {offer.place_id, other.place_id}
    decide(there, accept=True, actor=kitchen.post(kitchen.tree.zhongyuan, Role.FINANCE), words="两份都吃了")
    assert Redemption.objects.with_scopes_disabled().filter(state="redeemed").count() == 2


@pytest.mark.parametrize(
    ("text", "reason"), [("", "unknown"), ("https://example.cn", "unknown"), ("80" + "0" * 444, "unknown")]
)
def test_whatever_was_scanned_is_kept(
    offer: BenefitOffer, cashier: Staff, now: datetime, text: str, reason: str, kitchen: Kitchen
) -> None:
    kept = upload(cashier, offer, told(offer, text, now))
    assert (kept.state, kept.reason, kept.redemption) == ("exception", reason, None)
    with pytest.raises(RuleBroken):  # nobody can say whose meal it was
        decide(kept, accept=True, actor=kitchen.post(kitchen.tree.zhongyuan, Role.FINANCE), words="补")


def test_exceptions_have_the_reason_that_a_person_needs(
    offer: BenefitOffer, cashier: Staff, phone: WorkersPhone, now: datetime, kitchen: Kitchen
) -> None:
    def reason(text: str, at: datetime, offer_id: UUID | None = None) -> str:
        one = Told(uuid4(), offer_id or offer.public_id, text, at)
        return upload(cashier, offer, one).reason

    forged = phone.code(now)
    forged = forged[:-1] + str((int(forged[-1]) + 1) % 10)
    assert reason(forged, now) == "forged"
    assert reason(phone.code(now), now, uuid4()) == "unknown"
    long_ago = now - timedelta(days=4)
    assert reason(phone.code(long_ago), long_ago) == "late"
    assert reason(phone.code(now - timedelta(hours=2)), now) == "clock"
    ahead = now + timedelta(minutes=30)
    assert reason(phone.code(ahead), ahead) == "clock"
    after_the_end = WorkersPhone.of(kitchen.worker(kitchen.tree.shifo), now - timedelta(days=8))
    assert reason(after_the_end.code(now), now) == "expired"
    block(phone.row, actor=phone.worker.user, at=now - timedelta(hours=1))
    assert reason(phone.code(now), now) == "revoked"
    before = now - timedelta(hours=2)
    assert reason(phone.code(before), before) == ""  # when it was scanned, the phone was the worker's


def test_a_counter_tells_only_of_itself(
    offer: BenefitOffer, phone: WorkersPhone, now: datetime, kitchen: Kitchen
) -> None:
    one = told(offer, phone.code(now), now)
    for stranger in (kitchen.post(kitchen.tree.zhongyuan, Role.CASHIER), kitchen.post(kitchen.tree.jinshui)):
        with pytest.raises(NotAllowed):
            upload(stranger, offer, one)
    kept = upload(at_counter(offer.place), offer, told(offer, "", now))
    assert list(exceptions(for_staff=kitchen.post(kitchen.tree.jinshui, Role.FINANCE))) == []
    for stranger in (at_counter(offer.place, Role.MERCHANT), kitchen.post(kitchen.tree.jinshui, Role.FINANCE)):
        with pytest.raises(NotAllowed):
            decide(kept, accept=False, actor=stranger, words="不该")
