"""The desk's pages of reminders, rules and sources, as those use them who may."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from urllib.parse import unquote
from uuid import uuid4

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.passage.live_tokens import Watcher, read_token
from yizhan.passage.models import PassageSettings, PingSource
from yizhan.passage.queries.rules import rules_in_force
from yizhan.passage.services.log import Passed, record_reminders
from yizhan.passage.services.sources import NewKey, create_source, digest
from yizhan.passage.views import reminders as reminder_views
from yizhan.places.models import Place
from yizhan.unions.models import AuditEntry, Staff, Union
from yizhan.unions.rights import Role

PAGES = ["reminders", "live", "live_addresses", "rules", "sources", "create_source"]
FORM = {
    "reminders_on": "on",
    "radius_m": 400,
    "cool_down_s": 120,
    "gap_s": 5,
    "max_segment_gap_s": 90,
    "max_speed_kmh": 100,
    "still_open_s": 10,
    "silent_above_kmh": 45,
    "quiet_from_min": "22:30",
    "quiet_until_min": "06:00",
}


@pytest.fixture
def admin(tree: UnionTree, post: PostMaker) -> Staff:
    return post(tree.zhengzhou, Role.ADMINISTRATOR)


@pytest.fixture
def desk(admin: Staff, client: Client) -> Client:
    client.force_login(admin.user)
    return client


def signed_in(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff.user)
    return client


def passed(place: Place, source: PingSource, *, vehicle: int = 1, days_ago: int = 0, simulated: bool = False) -> Passed:
    return Passed(
        public_id=uuid4(),
        vehicle=vehicle,
        place=place.pk,
        union=place.union_id,
        source=source.pk,
        passed_at=timezone.now() - timedelta(days=days_ago, minutes=vehicle),
        distance_m=123.4,
        is_simulated=simulated,
    )


@pytest.fixture
def reminded(place: Place, source: NewKey, make_place: PlaceMaker, tree: UnionTree) -> Place:
    """Three reminders of Zhongyuan's place, and one of Shenzhen's."""
    there = make_place(tree.shenzhen, name="深圳驿站", lon=114.05, lat=22.54, hours="24/7")
    record_reminders(
        [
            passed(place, source.source, vehicle=1),
            passed(place, source.source, vehicle=2, simulated=True),
            passed(place, source.source, vehicle=2, days_ago=3),
            passed(there, source.source, vehicle=3),
        ]
    )
    return there


@pytest.mark.parametrize("name", [name for name in PAGES if name != "live_addresses"])
def test_every_page_opens(desk: Client, name: str) -> None:
    response = desk.get(reverse(f"passage:{name}"))

    assert response.status_code == 200
    assert "</html>" in response.content.decode()


@pytest.mark.parametrize("name", PAGES)
def test_a_stranger_is_sent_to_sign_in(client: Client, db: None, name: str) -> None:
    assert client.get(reverse(f"passage:{name}")).status_code == 302


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.CADRE, {"reminders", "live", "live_addresses", "rules"}),
        (Role.KEEPER, {"reminders", "live", "live_addresses", "rules"}),
        (Role.READER, {"reminders", "live", "live_addresses", "rules"}),
        (Role.FINANCE, set()),
    ],
)
def test_each_role_opens_what_it_needs(tree: UnionTree, post: PostMaker, role: Role, allowed: set[str]) -> None:
    client = signed_in(post(tree.zhengzhou, role))

    opened = {name for name in PAGES if client.get(reverse(f"passage:{name}")).status_code == 200}

    assert opened == allowed


def test_the_list_holds_the_unions_reminders_and_no_neighbours(desk: Client, reminded: Place) -> None:
    response = desk.get(reverse("passage:reminders"))

    assert response.context["figures"].reminders == 3
    assert (response.context["figures"].places, response.context["figures"].vehicles) == (1, 2)
    text = response.content.decode()
    assert "枫杨驿站" in text
    assert "深圳驿站" not in text


def test_a_neighbour_sees_and_exports_none_of_it(reminded: Place, tree: UnionTree, post: PostMaker) -> None:
    for union in (tree.jinshui, tree.shifo):
        client = signed_in(post(union))
        assert client.get(reverse("passage:reminders")).context["figures"].reminders == 0
        assert "枫杨" not in client.get(reverse("passage:export_reminders", args=["csv"])).content.decode()


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"place": "枫杨"}, 3),
        ({"place": "深圳"}, 0),
        ({"vehicles": "simulated"}, 1),
        ({"vehicles": "real"}, 2),
        ({"union": "中原"}, 3),
        ({"until": (timezone.localdate() - timedelta(days=1)).isoformat()}, 1),
        ({"since": (timezone.localdate() - timedelta(days=1)).isoformat()}, 2),
    ],
)
def test_the_list_can_be_narrowed(desk: Client, reminded: Place, query: dict[str, str], count: int) -> None:
    assert desk.get(reverse("passage:reminders"), query).context["figures"].reminders == count


def test_the_export_holds_every_row_of_the_narrowed_list_and_is_recorded(
    desk: Client, admin: Staff, reminded: Place, source: NewKey
) -> None:
    response = desk.get(reverse("passage:export_reminders", args=["xlsx"]), {"vehicles": "real"})

    rows = list(openpyxl.load_workbook(BytesIO(response.content)).active.values)
    assert len(rows) == 1 + 2
    assert {row[1] for row in rows[1:]} == {"枫杨驿站"}
    with scope(union=admin.union.path):
        entry = AuditEntry.objects.get(action="passage.reminders_exported")
    assert entry.details == {"rows": 2, "form": "xlsx"}


def test_a_list_too_long_for_a_file_asks_to_be_narrowed(
    desk: Client, reminded: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminder_views, "MOST_EXPORTED", 2)

    response = desk.get(reverse("passage:export_reminders", args=["csv"]), {"place": "枫杨"}, follow=True)

    assert response.redirect_chain == [(reverse("passage:reminders") + "?place=%E6%9E%AB%E6%9D%A8", 302)]
    assert [str(message) for message in response.context["messages"]]


def test_the_live_page_carries_a_token_for_the_acting_union_only(desk: Client, tree: UnionTree) -> None:
    response = desk.get(reverse("passage:live"))

    assert response.context["events"] in response.content.decode()
    fresh = desk.get(reverse("passage:live_addresses"))
    for answer, addresses in ((response, response.context), (fresh, fresh.json())):
        for name, path in (("events", "/api/live/events"), ("roads", "/api/live/roads.geojson")):
            address, _, token = addresses[name].partition("?token=")
            assert (address, read_token(unquote(token))) == (path, Watcher(tree.zhengzhou.path))
        assert "no-store" in answer["Cache-Control"]


def test_a_page_left_open_gets_no_fresh_addresses_once_the_post_is_taken_away(desk: Client, admin: Staff) -> None:
    Staff.objects.with_scopes_disabled().filter(pk=admin.pk).update(is_active=False)

    assert desk.get(reverse("passage:live_addresses")).status_code == 403


def test_rules_are_saved_in_the_units_of_the_form_and_reach_down(desk: Client, tree: UnionTree, admin: Staff) -> None:
    response = desk.post(reverse("passage:rules_of", args=[tree.zhengzhou.public_id]), FORM)

    assert response.status_code == 302
    in_force = rules_in_force(tree.shifo)
    assert (in_force.own, in_force.set_by) == (False, tree.zhengzhou)
    rules = in_force.rules
    assert (rules.radius_m, rules.cool_down_s, rules.gap_s, rules.unknown_hours_remind) == (400, 7200, 300, False)
    assert (rules.still_open_s, rules.silent_above_kmh) == (600, 45)
    assert (rules.quiet_from_min, rules.quiet_until_min) == (22 * 60 + 30, 6 * 60)
    assert rules_in_force(tree.henan).rules.radius_m == 300
    assert rules_in_force(tree.shenzhen).rules.radius_m == 300
    with scope(union=admin.union.path):
        assert AuditEntry.objects.get(action="passage.settings_changed").details["radius_m"] == [None, 400]


def test_saving_the_same_rules_again_changes_and_records_nothing(desk: Client, tree: UnionTree, admin: Staff) -> None:
    for _ in range(2):
        desk.post(reverse("passage:rules_of", args=[tree.zhengzhou.public_id]), FORM)

    with scope(union=admin.union.path):
        assert AuditEntry.objects.filter(action="passage.settings_changed").count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("radius_m", 49),
        ("radius_m", 2001),
        ("cool_down_s", -1),
        ("max_speed_kmh", ""),
        ("gap_s", "x"),
        ("gap_s", 9999),
        ("still_open_s", 241),
        ("silent_above_kmh", 251),
        ("quiet_from_min", ""),
        ("quiet_until_min", "25:00"),
    ],
)
def test_rules_outside_of_their_limits_are_shown_at_the_field_and_not_saved(
    desk: Client, tree: UnionTree, field: str, value: object
) -> None:
    response = desk.post(reverse("passage:rules_of", args=[tree.zhengzhou.public_id]), FORM | {field: value})

    assert response.status_code == 200
    assert list(response.context["form"].errors) == [field]
    assert not PassageSettings.rules.exists()


def test_a_union_can_follow_the_one_above_again(desk: Client, tree: UnionTree, admin: Staff) -> None:
    desk.post(reverse("passage:rules_of", args=[tree.zhongyuan.public_id]), FORM)
    assert rules_in_force(tree.shifo).set_by == tree.zhongyuan
    assert "中原区总工会" in desk.get(reverse("passage:rules")).content.decode()

    for _ in range(2):
        desk.post(reverse("passage:inherit_rules", args=[tree.zhongyuan.public_id]))

    assert rules_in_force(tree.shifo).set_by is None
    with scope(union=admin.union.path):
        assert AuditEntry.objects.filter(action="passage.settings_inherited").count() == 1


def test_the_rules_of_a_union_below_are_found_by_name_and_those_of_a_neighbour_are_not(
    desk: Client, tree: UnionTree
) -> None:
    found = desk.get(reverse("passage:rules"), {"union": "中原区总工会"})
    missed = desk.get(reverse("passage:rules"), {"union": "深圳市总工会"})

    assert found["Location"] == reverse("passage:rules_of", args=[tree.zhongyuan.public_id])
    assert "union" in missed.context["asked"].errors


def test_nobody_changes_rules_beside_above_or_without_the_right(tree: UnionTree, post: PostMaker) -> None:
    def tries(staff: Staff, union: Union) -> int:
        return signed_in(staff).post(reverse("passage:rules_of", args=[union.public_id]), FORM).status_code

    assert tries(post(tree.zhongyuan), tree.zhengzhou) == 404
    assert tries(post(tree.zhongyuan), tree.jinshui) == 404
    assert tries(post(tree.zhengzhou, Role.KEEPER), tree.zhengzhou) == 403
    assert tries(post(tree.zhengzhou, Role.READER), tree.zhengzhou) == 403
    assert not PassageSettings.rules.exists()


def test_a_sources_key_is_shown_once_and_kept_as_a_digest(desk: Client, tree: UnionTree, admin: Staff) -> None:
    response = desk.post(
        reverse("passage:create_source"), {"name": "  某外卖  平台 ", "union": "中原区总工会", "is_simulated": ""}
    )

    made: NewKey = response.context["made"]
    assert made.key in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    kept = PingSource.every.get()
    assert (kept.name, kept.union, kept.key_digest) == ("某外卖 平台", tree.zhongyuan, digest(made.key))
    assert made.key not in str(vars(kept)) + repr(made)
    listed = desk.get(reverse("passage:sources")).content.decode()
    assert "某外卖 平台" in listed
    assert made.key not in listed
    with scope(union=admin.union.path):
        entry = AuditEntry.objects.get(action="passage.source_created")
    assert made.key not in str(vars(entry))


@pytest.mark.parametrize(
    ("name", "union", "field"),
    [
        (" ", "郑州市总工会", "name"),
        ("x" * 81, "郑州市总工会", "name"),
        ("有了", "郑州市总工会", "name"),
        ("新", "深圳市总工会", "union"),
    ],
)
def test_a_source_that_breaks_a_rule_is_not_made(desk: Client, admin: Staff, name: str, union: str, field: str) -> None:
    create_source(staff=admin, union=admin.union, name="有了")

    response = desk.post(reverse("passage:create_source"), {"name": name, "union": union})

    assert list(response.context["form"].errors) == [field]
    assert PingSource.every.count() == 1


def test_a_new_key_replaces_the_old_and_brings_a_revoked_source_back(desk: Client, admin: Staff) -> None:
    first = create_source(staff=admin, union=admin.union, name="平台")
    desk.post(reverse("passage:revoke_source", args=[first.source.public_id]))
    assert not PingSource.every.get().is_active

    made = desk.post(reverse("passage:rotate_key", args=[first.source.public_id])).context["made"]

    kept = PingSource.every.get()
    assert kept.is_active
    assert kept.key_digest == digest(made.key) != digest(first.key)


def test_a_neighbour_cannot_touch_a_source(tree: UnionTree, post: PostMaker) -> None:
    made = create_source(staff=post(tree.zhongyuan), union=tree.zhongyuan, name="勿外传")
    for staff in (post(tree.jinshui), post(tree.shifo), post(tree.shenzhen)):
        client = signed_in(staff)
        for name in ("rotate_key", "revoke_source"):
            assert client.post(reverse(f"passage:{name}", args=[made.source.public_id])).status_code == 404
        assert "勿外传" not in client.get(reverse("passage:sources")).content.decode()
    assert (
        signed_in(post(tree.zhongyuan, Role.CADRE))
        .post(reverse("passage:revoke_source", args=[made.source.public_id]))
        .status_code
        == 403
    )
    assert PingSource.every.get().is_active


def test_reminders_are_shown_in_the_time_of_shanghai(desk: Client, place: Place, source: NewKey) -> None:
    moment = datetime(2025, 11, 27, 20, 30, tzinfo=UTC)
    record_reminders([replace(passed(place, source.source), passed_at=moment)])

    assert "2025-11-28 04:30" in desk.get(reverse("passage:reminders")).content.decode()
