"""Programme managers at the desk: draft, split, cap, simulate, open; exclusions; and the interface for programs."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from tests.benefits.conftest import Kitchen, counted
from tests.conftest import PostMaker
from tests.places.conftest import shanghai
from yizhan.benefits.models import (
    BenefitOffer,
    Budget,
    Exclusion,
    Lottery,
    OfferShare,
    PartyKind,
    Programme,
    ProgrammeState,
    Span,
)
from yizhan.benefits.services.exclusions import appeal, exclude
from yizhan.benefits.services.programmes import (
    ChangedMeanwhile,
    PeriodFacts,
    ProgrammeFacts,
    change_programme,
    create_programme,
)
from yizhan.benefits.services.redeeming import why_not
from yizhan.benefits.simulation import Ask, Cap, Person, Replay, simulate
from yizhan.places.models import Place
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Worker
from yizhan.unions.rights import OPERATOR, Role


def desk(post: PostMaker, union: Any, role: Role = Role.ADMINISTRATOR) -> Client:
    client = Client()
    client.force_login(post(union, role).user)
    return client


def entered(**changes: Any) -> dict[str, Any]:
    return {
        "name": "十元餐",
        "union": "中原区总工会",
        "kind": "meal",
        "starts_on": "2026-11-01",
        "weekdays": ["1", "2", "3", "4", "5"],
        "periods": "午餐 10:30-14:30\n夜宵 21:00-02:00",
        "quota_period": "1",
        "allotment": "first_come",
        "void_minutes": "30",
        "refund_days": "30",
        **changes,
    }


def split_lines(*lines: tuple[str, str, str], price: str, place: Place, name: str = "十元套餐") -> dict[str, Any]:
    data = {"place": place.pk, "name": name, "list_price": price, "parts-TOTAL_FORMS": "6", "parts-INITIAL_FORMS": "0"}
    for number in range(6):
        party, who, yuan = lines[number] if number < len(lines) else ("", "", "")
        data |= {f"parts-{number}-party": party, f"parts-{number}-name": who, f"parts-{number}-yuan": yuan}
    return data


def test_from_draft_to_the_first_meal_at_the_desk(kitchen: Kitchen, post: PostMaker, rider: Worker) -> None:
    client = desk(post, kitchen.tree.zhongyuan)
    assert client.get("/desk/programmes/").status_code == 200
    assert client.post("/desk/programmes/new/", entered(periods="午餐 十点")).status_code == 200
    assert not Programme.objects.with_scopes_disabled().exists()
    assert client.post("/desk/programmes/new/", entered()).status_code == 302
    made = Programme.objects.with_scopes_disabled().get()
    page = f"/desk/programmes/{made.public_id}/"
    assert client.post(f"{page}step/open/").status_code == 302
    made.refresh_from_db()
    assert made.state == ProgrammeState.DRAFT
    lines = [("worker", "", "10"), ("merchant", "", "3"), ("union", "410102", ""), ("sponsor", "某粮油公司", "1.50")]
    wrong = split_lines(*lines[:2], price="18", place=kitchen.place)
    assert client.post(f"{page}offers/new/", wrong).status_code == 200
    assert client.post(f"{page}offers/new/", split_lines(*lines, price="18", place=kitchen.place)).status_code == 302
    offer = BenefitOffer.objects.with_scopes_disabled().get()
    shares = OfferShare.objects.with_scopes_disabled().filter(offer=offer)
    assert {share.party: share.fen for share in shares} == {
        "worker": 1000,
        "merchant": 300,
        "union": 350,
        "sponsor": 150,
    }
    assert client.get(f"{page}offers/{offer.public_id}/").status_code == 200
    account = shares.get(party=PartyKind.UNION).account
    capped = client.post(f"{page}budgets/", {"account": account.public_id, "span": "day", "cap": "1000.00"})
    assert capped.status_code == 302
    assert Budget.objects.with_scopes_disabled().get().cap_fen == 100_000
    assert client.post(f"{page}step/open/").status_code == 302
    kitchen.eat(offer, rider)
    shown = client.get(page).content.decode()
    assert "十元套餐" in shown
    assert "1,000.00" in shown
    assert client.get(f"{page}change/").status_code == 200
    assert client.post(f"{page}change/", entered(quota_period="2", revision="99")).status_code == 200
    made.refresh_from_db()
    assert client.post(f"{page}change/", entered(quota_period="2", revision=made.revision)).status_code == 302
    made.refresh_from_db()
    assert made.quota_period == 2
    for form in ("xlsx", "csv"):
        assert client.get(f"/desk/programmes/export/{form}/").status_code == 200
    assert client.post(f"{page}step/paused/", {"reason": ""}).status_code == 302
    made.refresh_from_db()
    assert made.state == ProgrammeState.OPEN
    budget = Budget.objects.with_scopes_disabled().get()
    assert client.post(f"{page}budgets/{budget.public_id}/stop/").status_code == 302
    assert client.post(f"{page}offers/{offer.public_id}/active/").status_code == 302
    assert client.post(f"{page}step/ended/", {"reason": "活动结束"}).status_code == 302
    assert "活动结束" in client.get(page).content.decode()


def test_the_list_asks_no_more_for_more_programmes(
    kitchen: Kitchen, post: PostMaker, django_assert_max_num_queries: Any
) -> None:
    client = desk(post, kitchen.tree.zhongyuan)
    for _number in range(8):
        kitchen.offer()
    client.get("/desk/programmes/")
    with django_assert_max_num_queries(24):
        assert client.get("/desk/programmes/").status_code == 200


def test_readers_see_and_neighbours_do_not(kitchen: Kitchen, offer: BenefitOffer, post: PostMaker) -> None:
    page = f"/desk/programmes/{offer.programme.public_id}/"
    reader = desk(post, kitchen.tree.zhengzhou, Role.READER)
    assert reader.get(page).status_code == 200
    assert reader.get(f"{page}change/").status_code == 403
    assert reader.post(f"{page}step/ended/", {"reason": "x"}).status_code == 403
    neighbour = desk(post, kitchen.tree.jinshui)
    assert neighbour.get(page).status_code == 404
    assert neighbour.post(f"{page}step/ended/", {"reason": "x"}).status_code == 404
    assert offer.programme.name not in neighbour.get("/desk/programmes/").content.decode()


def test_a_simulation_says_cost_workers_and_the_day_when_the_budget_runs_out(kitchen: Kitchen, post: PostMaker) -> None:
    eaten, draft = kitchen.offer(), kitchen.offer(opened=False, quota_day=1)
    riders = [kitchen.worker() for _rider in range(3)]
    now = timezone.now()
    for back in (3, 2, 1):
        for rider in riders:
            for _meal in range(2):
                kitchen.eat(eaten, rider, at=now - timedelta(days=back))
    kitchen.budget(draft, 400 * 5)
    found = simulate(draft.programme, days=7)
    assert (found.asked, found.granted, found.beneficiaries) == (18, 5, 3)
    assert found.funded_fen == 2000
    assert found.refused == {"quota_day": 5, "budget": 8}
    assert found.runs_out_on == timezone.localdate(now - timedelta(days=2))
    page = f"/desk/programmes/{draft.programme.public_id}/simulation/"
    shown = desk(post, kitchen.tree.zhongyuan).get(page, {"days": "7"}).content.decode()
    assert "20.00" in shown
    assert found.runs_out_on.isoformat() in shown


@pytest.mark.parametrize("minute", [0, 119, 120, 629, 630, 869, 870, 1259, 1260, 1439])
def test_the_simulation_reads_the_rules_as_the_database_does(kitchen: Kitchen, minute: int) -> None:
    """The slow twin of `benefits_rules`."""
    periods = [PeriodFacts("午餐", 630, 870), PeriodFacts("夜宵", 1260, 1560)]
    offer = kitchen.offer(
        periods=periods, weekdays=[1, 2, 4], occupations=["food_rider"], unions=[kitchen.tree.zhongyuan]
    )
    replay = Replay(ProgrammeFacts.of(offer.programme), ignore_dates=False)
    riders = [kitchen.worker(kitchen.tree.shifo), kitchen.worker(), kitchen.worker(kitchen.tree.jinshui)]
    start = shanghai(2026, 11, 23, 0, 0)
    for day in range(3):
        at = start + timedelta(days=day, minutes=minute)
        for rider in riders:
            path = rider.union.path if rider.union else ""
            person = Person(rider.occupation, rider.platform_company, rider.membership, path)
            refused = why_not(offer=offer, worker=rider, at=at)
            assert replay.rule(at, person)[0] == (refused.code if refused else None)


def test_a_cap_in_the_replay_is_never_passed() -> None:
    replay = Replay(ProgrammeFacts(name="x", starts_on=date(2026, 1, 1)), caps=[Cap("工会", Span.TOTAL, 300, 1000)])
    at = timezone.now()
    person = Person("", "", "none", "")
    assert [replay.ask(Ask(at, number, 1), person)[0] for number in range(5)] == [None, None, None, "budget", "budget"]


def test_rules_are_refused_with_every_problem_and_two_changes_at_once_do_not_overwrite(kitchen: Kitchen) -> None:
    facts = {
        "name": "",
        "starts_on": date(2026, 11, 2),
        "ends_on": date(2026, 11, 1),
        "weekdays": [8],
        "quota_period": 0,
        "periods": [PeriodFacts("早", 600, 700), PeriodFacts("早", 650, 800)],
    }
    with pytest.raises(RuleBroken) as broken:
        create_programme(ProgrammeFacts(**facts), union=kitchen.tree.zhongyuan, actor=OPERATOR)  # type: ignore[arg-type]
    assert {problem.field for problem in broken.value.problems} == {
        "name",
        "ends_on",
        "weekdays",
        "quota_period",
        "periods",
    }
    made = kitchen.programme()
    seen = ProgrammeFacts(name="新名字", starts_on=date(2026, 11, 1))
    change_programme(made, seen, revision=1, actor=OPERATOR)
    with pytest.raises(ChangedMeanwhile):
        change_programme(made, seen, revision=1, actor=OPERATOR)


def test_lotteries_are_opened_and_drawn_at_the_desk(kitchen: Kitchen, post: PostMaker) -> None:
    offer = kitchen.offer(allotment="lottery")
    client = desk(post, kitchen.tree.zhongyuan)
    page = f"/desk/programmes/{offer.programme.public_id}/"
    today = timezone.localdate()
    data = {"places": "2", "closes_on": today, "valid_from": today, "valid_until": today + timedelta(days=7)}
    assert client.post(f"{page}lotteries/", data).status_code == 302
    lottery = Lottery.objects.with_scopes_disabled().get()
    assert lottery.seed_digest in client.get(page).content.decode()
    assert client.post(f"{page}lotteries/{lottery.public_id}/draw/").status_code == 302
    lottery.refresh_from_db()
    assert lottery.drawn_at is None
    Lottery.objects.with_scopes_disabled().update(closes_at=timezone.now())
    client.post(f"{page}lotteries/{lottery.public_id}/draw/")
    lottery.refresh_from_db()
    assert lottery.seed in client.get(page).content.decode()


def test_exclusions_and_appeals_at_the_desk(kitchen: Kitchen, rider: Worker, post: PostMaker) -> None:
    client = desk(post, kitchen.tree.zhongyuan)
    data = {"worker": rider.user.phone, "programme": "", "reason": "代他人核销"}
    assert client.post("/desk/exclusions/new/", {**data, "worker": "13900000000"}).status_code == 200
    assert client.post("/desk/exclusions/new/", data).status_code == 302
    kept = Exclusion.objects.with_scopes_disabled().get()
    appeal(kept, worker=rider, words="手机借给了工友")
    assert "手机借给了工友" in client.get(f"/desk/exclusions/{kept.public_id}/").content.decode()
    assert "代他人核销" in client.get("/desk/exclusions/", {"state": "appeal"}).content.decode()
    assert desk(post, kitchen.tree.jinshui).get(f"/desk/exclusions/{kept.public_id}/").status_code == 404
    answer = {"answer": "情况属实", "decision": "grant"}
    assert client.post(f"/desk/exclusions/{kept.public_id}/answer/", answer).status_code == 302
    kept.refresh_from_db()
    assert kept.lifted_at is not None
    again = exclude(union=kitchen.tree.zhongyuan, programme=None, worker=rider, reason="再次", actor=OPERATOR)
    assert client.post(f"/desk/exclusions/{again.public_id}/lift/").status_code == 302


def test_programs_redeem_once_and_take_back(kitchen: Kitchen, rider: Worker, post: PostMaker) -> None:
    offer = kitchen.offer(quota_day=1)
    own, staff = Client(), desk(post, kitchen.tree.zhongyuan, Role.KEEPER)
    own.force_login(rider.user)
    listed = own.get("/api/benefits/programmes").json()
    assert listed["items"][0]["offers"][0]["worker_fen"] == 900
    asked = f"/api/benefits/offers/{offer.public_id}/eligibility"
    assert own.get(asked).json() == {"eligible": True, "code": "", "sentence": ""}
    body = {"offer": str(offer.public_id), "request_id": str(uuid4()), "device": "phone-1"}
    first = own.post("/api/benefits/redemptions", json.dumps(body), content_type="application/json")
    again = own.post("/api/benefits/redemptions", json.dumps(body), content_type="application/json")
    assert (first.status_code, again.status_code) == (200, 200)
    assert (first.json()["repeated"], again.json()["repeated"]) == (False, True)
    assert counted() == (1, 1)
    assert own.get(asked).json()["code"] == "quota_day"
    body = {**body, "request_id": str(uuid4()), "worker": str(rider.public_id)}
    refused = staff.post("/api/benefits/redemptions", json.dumps(body), content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_eligible")
    assert staff.get(asked, {"worker": rider.public_id}).json()["code"] == "not_eligible"
    line = f"/api/benefits/redemptions/{first.json()['id']}/void"
    void = {"reason": "点错了"}
    assert own.post(line, json.dumps(void), content_type="application/json").status_code == 403
    assert staff.post(line, json.dumps(void), content_type="application/json").json()["state"] == "voided"
    for stranger in (desk(post, kitchen.tree.jinshui), desk(post, kitchen.tree.zhongyuan, Role.READER)):
        denied = stranger.post("/api/benefits/redemptions", json.dumps(body), content_type="application/json")
        assert denied.status_code in {403, 404}
