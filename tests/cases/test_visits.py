"""Visits: what a phone sends counts once, late saves are set aside, needs become cases, people are counted once."""

from __future__ import annotations

import json
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_scopes import scope
from PIL import Image

from tests.conftest import PostMaker, UnionTree, WorkerMaker
from yizhan.cases.models import Case, RoundState, Visit, VisitNeed, VisitPhoto, VisitSave
from yizhan.cases.services import rounds
from yizhan.cases.services.links import LinkEnd, make_link
from yizhan.cases.services.visits import add_photo, keep_present, save_visit
from yizhan.cases.visits import figures, queries
from yizhan.cases.visits.facts import NeedFacts, VisitFacts
from yizhan.geo import Datum
from yizhan.places.services import PlaceFacts, create_place
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Worker
from yizhan.unions.rights import NotAllowed, Role


def facts(**told: Any) -> VisitFacts:
    return VisitFacts(**{"kind": "home", "at": timezone.now() - timedelta(hours=2), "where": "石佛镇小哥之家", **told})


def visited(actor: Staff, *people: Worker, counted: int = 0, **told: Any) -> Visit:
    met = [worker.public_id for worker in people]
    said = facts(people=met, counted=counted, **told)
    return save_visit(actor=actor, client_id=uuid4(), request_id=uuid4(), base=0, facts=said).visit


def codes(broken: pytest.ExceptionInfo[RuleBroken]) -> set[str]:
    return {problem.code for problem in broken.value.problems}


def test_a_repeated_save_counts_once_and_its_needs_become_one_case(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    cadre, someone = post(tree.zhongyuan, Role.CADRE), worker(tree.shifo)
    need = NeedFacts(client_id=uuid4(), title="站点没有充电口", worker=someone.public_id)
    client_id, request_id = uuid4(), uuid4()
    told = facts(people=[someone.public_id])
    for _ in range(3):
        done = save_visit(actor=cadre, client_id=client_id, request_id=request_id, base=0, facts=told, needs=[need])
        assert (done.is_taken, done.visit.revision) == (True, 1)
    case = Case.objects.with_scopes_disabled().get()
    assert (case.title, case.worker_id, case.source) == ("站点没有充电口", someone.pk, "visit")
    assert VisitNeed.objects.with_scopes_disabled().get().case_id == case.pk
    # The same save under another id (the phone lost its memory) makes neither a second visit nor a second case.
    again = save_visit(actor=cadre, client_id=client_id, request_id=uuid4(), base=0, facts=told, needs=[need])
    assert (again.visit.pk, again.visit.revision) == (done.visit.pk, 1)
    assert Case.objects.with_scopes_disabled().count() == 1


def test_a_save_of_an_older_revision_is_set_aside_and_shown_until_someone_settles_it(
    tree: UnionTree, post: PostMaker
) -> None:
    cadre, head = post(tree.zhongyuan, Role.CADRE), post(tree.zhengzhou)
    first = visited(cadre, words="初稿")
    save_visit(actor=head, visit=first, request_id=uuid4(), base=1, facts=facts(at=first.at, words="局里改的"))
    need = NeedFacts(client_id=uuid4(), title="想要雨衣")
    late = save_visit(
        actor=cadre,
        client_id=first.client_id,
        request_id=uuid4(),
        base=1,
        facts=facts(at=first.at, words="路上改的"),
        needs=[need],
    )
    assert not late.is_taken
    visit = Visit.objects.with_scopes_disabled().get(pk=first.pk)
    assert (visit.words, visit.revision) == ("局里改的", 2)
    assert late.save.facts["words"] == "路上改的"
    assert Case.objects.with_scopes_disabled().count() == 1, "what was heard was heard"
    (difference,) = queries.differences(visit, queries.facts_of_save(late.save))
    assert (difference.field, difference.present, difference.other) == ("words", "局里改的", "路上改的")
    client = Client()
    client.force_login(cadre.user)
    page = client.get(visit.get_absolute_url()).content.decode()
    assert "局里改的" in page
    assert "路上改的" in page
    address = f"{visit.get_absolute_url()}versions/{late.save.request_id}/"
    client.post(address, {"hold": "other", "base": "1"})
    assert Visit.objects.with_scopes_disabled().get(pk=first.pk).words == "局里改的", "based on what was seen"
    client.post(address, {"hold": "other", "base": "2"})
    visit.refresh_from_db()
    assert (visit.words, visit.revision) == ("路上改的", 3)
    saves = VisitSave.objects.with_scopes_disabled().filter(visit=visit)
    assert "局里改的" in [save.facts["words"] for save in saves], "nothing is lost"
    with pytest.raises(IntegrityError), transaction.atomic():
        saves.filter(pk=late.save.pk).delete()


def test_what_stands_may_hold_against_what_was_set_aside(tree: UnionTree, post: PostMaker) -> None:
    cadre, head = post(tree.zhongyuan, Role.CADRE), post(tree.zhengzhou)
    visit = visited(cadre)
    save_visit(actor=head, visit=visit, request_id=uuid4(), base=1, facts=facts(words="甲"))
    late = save_visit(actor=cadre, visit=visit, request_id=uuid4(), base=1, facts=facts(words="乙"))
    with pytest.raises(NotAllowed):
        keep_present(actor=post(tree.jinshui), save=late.save)
    keep_present(actor=cadre, save=late.save)
    keep_present(actor=cadre, save=late.save)
    assert queries.set_aside(visit) == []
    assert Visit.objects.with_scopes_disabled().get(pk=visit.pk).words == "甲"


def test_all_that_is_wrong_with_a_visit_is_said_at_once_and_nothing_is_written(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    cadre = post(tree.zhongyuan, Role.CADRE)
    far = facts(
        kind="moon",
        where=" ",
        at=timezone.now() + timedelta(days=1),
        counted=-1,
        minutes=0,
        lon=200.0,
        lat=1.0,
        people=[worker(tree.jinshui).public_id],
        union=tree.jinshui.public_id,
        place=uuid4(),
    )
    with pytest.raises(RuleBroken) as broken:
        save_visit(actor=cadre, client_id=uuid4(), request_id=uuid4(), base=0, facts=far)
    fields = {problem.field for problem in broken.value.problems}
    assert fields == {"kind", "where", "at", "counted", "minutes", "lon", "people", "union", "place"}
    request_id = uuid4()
    for title in ("", "想要雨衣"):  # a refusal does not burn the id
        need = NeedFacts(client_id=uuid4(), title=title)
        try:
            save_visit(actor=cadre, client_id=request_id, request_id=request_id, base=0, facts=facts(), needs=[need])
        except RuleBroken:
            assert not Visit.objects.with_scopes_disabled().exists()
    assert Visit.objects.with_scopes_disabled().count() == Case.objects.with_scopes_disabled().count() == 1


def test_neighbours_and_readers_neither_see_nor_change_nor_count_visits(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    cadre = post(tree.zhongyuan, Role.CADRE)
    visit = visited(cadre, worker(tree.shifo), words="只给自己人看")
    for stranger in (post(tree.jinshui), post(tree.shifo), post(tree.shenzhen)):
        with pytest.raises(NotAllowed):
            save_visit(actor=stranger, visit=visit, request_id=uuid4(), base=1, facts=facts())
        with pytest.raises(NotAllowed):
            add_photo(actor=stranger, visit=visit, client_id=uuid4(), content=b"x")
        with scope(union=stranger.union.path):
            assert figures.reach(figures.visits_behind(for_staff=stranger)).visits == 0
        client = Client()
        client.force_login(stranger.user)
        assert client.get(visit.get_absolute_url()).status_code == 404
        assert "只给自己人看" not in client.get("/desk/visits/").content.decode()
        assert client.put(f"/api/visits/{visit.client_id}", _body(), "application/json").status_code == 201, "their own"
    reader = Client()
    reader.force_login(post(tree.zhongyuan, Role.READER).user)
    assert reader.get("/desk/visits/").status_code == 403


def test_people_reached_count_once_over_visits_and_levels(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    city, district, street = post(tree.zhengzhou), post(tree.zhongyuan, Role.CADRE), post(tree.shifo, Role.CADRE)
    one, two = worker(tree.shifo), worker(tree.shifo)
    visited(city, one, counted=5, kind="group")
    visited(district, one, two, counted=2)
    visited(street, one, kind="heart")
    with scope(union=tree.zhengzhou.path):
        found = figures.visits_behind(for_staff=city)
        whole = figures.reach(found)
        assert (whole.visits, whole.named, whole.counted, whole.people) == (3, 2, 7, 9)
        below = figures.by_union(found, below=tree.zhengzhou)
        assert [(row.reach.visits, row.reach.named, row.reach.counted) for row in below] == [(1, 1, 5), (2, 2, 2)]
        assert {row.value: row.reach.named for row in figures.by_kind(found)} == {
            "home": 2,
            "group": 1,
            "heart": 1,
            "enterprise": 0,
            "station": 0,
        }
        assert sorted(row.reach.named for row in figures.by_post(found)) == [1, 1, 2]
        assert sum(row.reach.visits for row in figures.by_month(found)) == 3
        narrowed = figures.visits_behind(for_staff=city, union=tree.zhongyuan, kind="home")
        assert figures.reach(narrowed).named == 2


def _body(**told: Any) -> dict[str, Any]:
    said = {"kind": "home", "at": timezone.now().isoformat(), "where": "路边", **told.pop("facts", {})}
    return {"request_id": str(uuid4()), "base": 0, "facts": said, **told}


def test_a_phone_takes_its_kit_along_and_brings_visits_and_photos_back(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    cadre, someone = post(tree.zhongyuan, Role.CADRE), worker(tree.shifo)
    make_link(actor=cadre, post=cadre, end=LinkEnd(worker=someone))
    make_link(actor=cadre, post=cadre, end=LinkEnd(union=tree.shifo))
    stop = rounds.StopFacts(kind="home", worker=someone, note="送雨衣")
    rounds.plan_round(actor=cadre, title="周二", day=timezone.localdate(), stops=[stop])
    client = Client()
    assert client.get("/api/visits/kit").status_code == 401
    client.force_login(someone.user)
    assert client.get("/api/visits/kit").status_code == 403
    client.force_login(cadre.user)
    kit = client.get("/api/visits/kit").json()
    assert [named["name"] for named in kit["workers"]] == [str(someone)]
    assert [stop["note"] for stop in kit["stops"]] == ["送雨衣"]
    client_id = uuid4()
    body = _body(
        facts={"people": [str(someone.public_id)], "stop": kit["stops"][0]["id"]},
        needs=[{"client_id": str(uuid4()), "title": "想要雨衣"}],
    )
    answers = [client.put(f"/api/visits/{client_id}", body, "application/json") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert len(answers[0].json()["needs"]) == 1
    photo = BytesIO()
    Image.new("RGB", (200, 160), "red").save(photo, "PNG")
    for _ in range(2):
        photo.seek(0)
        photo.name = "a.png"
        answer = client.post(f"/api/visits/{client_id}/photos/{UUID(int=7)}", {"photo": photo})
        assert answer.status_code == 200
    assert VisitPhoto.objects.with_scopes_disabled().count() == 1
    junk = BytesIO(b"not a picture")
    junk.name = "a.png"
    assert client.post(f"/api/visits/{client_id}/photos/{uuid4()}", {"photo": junk}).status_code == 422
    late = _body(facts={"words": "晚到的"}) | {"base": 9}
    conflict = client.put(f"/api/visits/{client_id}", late, "application/json")
    assert conflict.status_code == 409
    assert {line["field"] for line in conflict.json()["differences"]} >= {"words", "people"}
    settled = client.post(f"/api/visits/{client_id}/settle/{late['request_id']}")
    assert settled.status_code == 200
    bad = [_body(facts={"kind": "moon"}), {"x": 1}, _body(facts={"at": "yesterday"}), _body(needs=[{"title": 1}])]
    for broken in bad:
        assert client.put(f"/api/visits/{uuid4()}", broken, "application/json").status_code == 422
    assert json.loads(client.get(f"/api/visits/{client_id}").content)["revision"] == 1


def test_stops_go_the_shortest_way_and_those_without_a_position_come_last(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    cadre = post(tree.zhongyuan, Role.CADRE)
    head = post(tree.zhongyuan)
    lons = [113.60, 113.66, 113.62, 113.64]
    stations = [
        create_place(
            PlaceFacts(name=f"{lon}站", lon=lon, lat=34.75, datum=Datum.WGS84), union=tree.zhongyuan, actor=head
        )
        for lon in lons
    ]
    stops = [
        rounds.StopFacts(kind="home", name="没有位置的家"),
        *(rounds.StopFacts(kind="station", place=station) for station in stations),
    ]
    planned = rounds.plan_round(actor=cadre, title="西片", day=timezone.localdate(), stops=stops, start=(113.59, 34.75))
    rounds.order_stops(actor=cadre, planned=planned)
    assert [stop.name for stop in queries.stops_of(planned)] == [
        "113.6站",
        "113.62站",
        "113.64站",
        "113.66站",
        "没有位置的家",
    ]
    first = queries.stops_of(planned)[0]
    with pytest.raises(RuleBroken) as broken:
        rounds.order_stops(actor=cadre, planned=planned, order=[first.public_id])
    assert codes(broken) == {"changed_meanwhile"}
    for stranger in (post(tree.jinshui), post(tree.shifo)):
        with pytest.raises(NotAllowed):
            rounds.order_stops(actor=stranger, planned=planned)
    rounds.remove_stop(actor=cadre, planned=planned, stop=first.public_id)
    assert [stop.order for stop in queries.stops_of(planned)] == [1, 2, 3, 4]
    with pytest.raises(RuleBroken):
        rounds.add_stops(actor=cadre, planned=planned, stops=[stops[0]] * 40)
    rounds.set_round_state(actor=cadre, planned=planned, state=RoundState.DONE)
    with pytest.raises(RuleBroken) as broken:
        rounds.remove_stop(actor=cadre, planned=planned, stop=uuid4())
    assert codes(broken) == {"over"}


def test_pages_of_links_visits_and_rounds_ask_as_much_for_many_rows_as_for_few(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    cadre = post(tree.zhongyuan, Role.CADRE)
    client = Client()
    client.force_login(cadre.user)
    pages = ("/desk/links/", "/desk/links/coverage/", "/desk/links/targets/", "/desk/visits/", "/desk/rounds/")

    def fill() -> None:
        for _ in range(3):
            someone = worker(tree.shifo)
            make_link(actor=cadre, post=cadre, end=LinkEnd(worker=someone))
            visited(cadre, someone, counted=1)
            worker(tree.zhongyuan)
            post(tree.shifo, Role.CADRE)
            rounds.plan_round(actor=cadre, title="片", day=timezone.localdate())

    def asked(page: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries_asked:
            assert client.get(page).status_code == 200
        return len(queries_asked)

    fill()
    for page in pages:
        client.get(page)
    few = {page: asked(page) for page in pages}
    fill()
    assert {page: asked(page) for page in pages} == few
    assert max(few.values()) <= 30
