"""Workers and draws: who sees which, who enters, what is said when the lots are drawn."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from tests.benefits.conftest import Kitchen
from yizhan.benefits.models import Allotment, Lottery, LotteryTicket, ProgrammeState
from yizhan.benefits.services.lotteries import check_draw, draw, open_lottery
from yizhan.benefits.services.programmes import step_programme
from yizhan.unions.models import Worker
from yizhan.unions.rights import OPERATOR


def _client(worker: Worker) -> Client:
    client = Client()
    client.force_login(worker.user)
    return client


def _lottery(kitchen: Kitchen, **facts: object) -> Lottery:
    offer = kitchen.offer(allotment=Allotment.LOTTERY, **facts)
    today = timezone.localdate()
    return open_lottery(
        offer.programme,
        places=1,
        closes_at=timezone.now() + timedelta(hours=1),
        valid_from=today,
        valid_until=today + timedelta(days=1),
        actor=OPERATOR,
    )


def test_a_worker_enters_once_and_reads_the_result_with_the_seed(kitchen: Kitchen) -> None:
    lottery = _lottery(kitchen)
    workers = [kitchen.worker() for _one in range(2)]
    for worker in workers:
        client = _client(worker)
        assert lottery.seed_digest in client.get("/meals/draws/").content.decode()
        for _time in range(2):
            assert client.post(f"/meals/draws/{lottery.public_id}/enter/").status_code == 302
    assert LotteryTicket.objects.with_scopes_disabled().filter(lottery=lottery).count() == 2
    draw(lottery, actor=OPERATOR, at=lottery.closes_at)
    drawn = Lottery.objects.with_scopes_disabled().get(pk=lottery.pk)
    assert check_draw(drawn).problems == []
    said = [_client(worker).get("/meals/draws/").content.decode() for worker in workers]
    assert all(drawn.seed in page for page in said)
    assert sorted("已抽中" in page for page in said) == [False, True]
    late = _client(kitchen.worker())
    assert late.post(f"/meals/draws/{lottery.public_id}/enter/").status_code == 302
    assert LotteryTicket.objects.with_scopes_disabled().filter(lottery=lottery).count() == 2


def test_a_draw_is_shown_to_those_for_whom_its_programme_is(kitchen: Kitchen) -> None:
    lottery = _lottery(kitchen, occupations=["sanitation"])
    rider = kitchen.worker()
    client = _client(rider)
    assert lottery.seed_digest not in client.get("/meals/draws/").content.decode()
    assert client.post(f"/meals/draws/{lottery.public_id}/enter/").status_code == 404
    Worker.objects.with_scopes_disabled().filter(pk=rider.pk).update(occupation="sanitation")
    assert lottery.seed_digest in client.get("/meals/draws/").content.decode()
    step_programme(lottery.programme, ProgrammeState.ENDED, actor=OPERATOR, reason="试完")
    assert lottery.seed_digest not in client.get("/meals/draws/").content.decode()
