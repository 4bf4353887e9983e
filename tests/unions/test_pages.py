"""The desk's pages of people and unions, as those use them who may."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.conftest import PostMaker, UnionTree, WorkerMaker
from yizhan.unions.audit import actions
from yizhan.unions.models import AuditEntry, InboxMessage, Staff, Union
from yizhan.unions.rights import Role
from yizhan.unions.services import inbox


@pytest.fixture
def admin(tree: UnionTree, post: PostMaker) -> Staff:
    return post(tree.zhengzhou, Role.ADMINISTRATOR, name="李管理")


@pytest.fixture
def desk(admin: Staff, client: Client) -> Client:
    client.force_login(admin.user)
    return client


@pytest.mark.parametrize(
    "name",
    ["unions:account", "unions:choose_post", "unions:inbox", "unions:unions", "unions:posts", "unions:create_post",
     "unions:workers", "unions:audit", "mfa_index", "account_change_password", "account_logout",
     "socialaccount_connections", "account_change_phone"],
)  # fmt: skip
def test_every_page_without_an_object_opens(desk: Client, name: str) -> None:
    response = desk.get(reverse(name))
    assert response.status_code == 200, response.content.decode()
    assert "</html>" in response.content.decode()


@pytest.mark.parametrize("name", ["account_login", "account_request_login_code", "account_signup", "account_inactive"])
def test_every_page_of_the_entrance_opens(db: None, client: Client, name: str) -> None:
    response = client.get(reverse(name))
    assert response.status_code == 200
    assert "main-narrow" in response.content.decode()


@pytest.mark.parametrize("name", ["union", "create_union", "rename_union", "move_union"])
def test_every_page_of_a_union_opens(desk: Client, tree: UnionTree, name: str) -> None:
    response = desk.get(reverse(f"unions:{name}", args=[tree.zhongyuan.public_id]))
    assert response.status_code == 200
    assert "中原区总工会" in response.content.decode()


def test_the_tree_shows_children_with_how_many_are_below(desk: Client) -> None:
    page = desk.get(reverse("unions:unions")).context["page"]
    assert [(child.union.name, child.below) for child in page] == [("中原区总工会", 1), ("金水区总工会", 0)]


def test_a_search_finds_unions_below_by_name_and_code_but_not_the_neighbours(desk: Client) -> None:
    def found(text: str) -> list[str]:
        return [union.name for union in desk.get(reverse("unions:unions"), {"q": text}).context["page"]]

    assert found("石佛") == ["石佛镇总工会"]
    assert found("410105") == ["金水区总工会"]
    assert found("深圳") == found("4403") == []


def test_an_administrator_creates_renames_and_deactivates_a_union(desk: Client, tree: UnionTree) -> None:
    desk.post(
        reverse("unions:create_union", args=[tree.jinshui.public_id]), {"name": "快驿公司工会", "level": "enterprise"}
    )
    made = Union.objects.get(name="快驿公司工会")
    assert Union.objects.get_parent(made) == tree.jinshui
    desk.post(reverse("unions:rename_union", args=[made.public_id]), {"name": "快驿工会"})
    desk.post(reverse("unions:deactivate_union", args=[made.public_id]))
    made.refresh_from_db()
    assert (made.name, made.is_active) == ("快驿工会", False)
    desk.post(reverse("unions:reactivate_union", args=[made.public_id]))
    made.refresh_from_db()
    assert made.is_active


def test_a_refused_name_is_shown_at_its_field(desk: Client, tree: UnionTree) -> None:
    response = desk.post(
        reverse("unions:create_union", args=[tree.zhengzhou.public_id]), {"name": "金水区总工会", "level": "district"}
    )
    assert response.status_code == 200
    assert "name" in response.context["form"].errors


def test_a_new_person_gets_a_one_time_password_that_is_shown_once(desk: Client, tree: UnionTree) -> None:
    response = desk.post(
        reverse("unions:create_post"),
        {"name": "王站长", "username": "wang.keeper", "role": "keeper", "union": "410102"},
    )
    password = response.context["password"]
    assert password in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    made = Staff.objects.with_scopes_disabled().get(user__username="wang.keeper")
    assert made.union == tree.zhongyuan
    assert made.user.check_password(password)
    assert made.user.must_change_password
    again = desk.get(reverse("unions:post", args=[made.public_id]))
    assert password not in again.content.decode()


def test_a_post_is_changed_taken_away_and_given_back(desk: Client, tree: UnionTree, post: PostMaker) -> None:
    held = post(tree.zhongyuan, Role.KEEPER)
    for name, data in (("change_role", {"role": "cadre"}), ("deactivate_post", {})):
        desk.post(reverse(f"unions:{name}", args=[held.public_id]), data)
    held = Staff.objects.with_scopes_disabled().get(pk=held.pk)
    assert (held.role, held.is_active) == (Role.CADRE, False)
    desk.post(reverse("unions:reactivate_post", args=[held.public_id]))
    assert Staff.objects.with_scopes_disabled().get(pk=held.pk).is_active


def test_the_inbox_counts_opens_and_reads_messages(desk: Client, admin: Staff) -> None:
    inbox.send(title="导入完成", body="82 个站点", link="/desk/", posts=[admin])
    inbox.send(title="新的请求", posts=[admin])
    page = desk.get(reverse("unions:inbox"))
    assert page.context["unread_count"] == 2
    first = InboxMessage.objects.with_scopes_disabled().get(title="导入完成")
    assert "82 个站点" in desk.get(reverse("unions:message", args=[first.public_id])).content.decode()
    assert [entry.title for entry in desk.get(reverse("unions:inbox"), {"show": "unread"}).context["page"]] == [
        "新的请求"
    ]
    desk.post(reverse("unions:mark_read"))
    assert desk.get(reverse("unions:inbox")).context["unread_count"] == 0


def test_a_person_with_two_posts_chooses_in_which_to_act(client: Client, tree: UnionTree, admin: Staff) -> None:
    second = Staff.objects.create(user=admin.user, union=tree.shenzhen, role=Role.CADRE)
    client.force_login(admin.user)
    assert client.get(reverse("unions:unions")).context["union"] == tree.zhengzhou
    client.post(reverse("unions:choose_post"), {"post": str(second.public_id)})
    assert client.get(reverse("unions:unions")).context["union"] == tree.shenzhen


@pytest.mark.parametrize("value", ["", "nonsense", "00000000-0000-0000-0000-000000000000"])
def test_a_post_of_someone_else_cannot_be_chosen(desk: Client, value: str) -> None:
    assert desk.post(reverse("unions:choose_post"), {"post": value}).status_code == 404


def test_the_list_of_workers_is_masked_and_looking_is_recorded(
    desk: Client, tree: UnionTree, worker: WorkerMaker
) -> None:
    worker(tree.shifo, name="赵小哥")
    text = desk.get(reverse("unions:workers")).content.decode()
    assert "138****8001" in text
    assert "13800138001" not in text
    assert AuditEntry.objects.with_scopes_disabled().filter(action="people.workers_listed").count() == 1


def test_a_worker_is_found_by_a_whole_phone_number_and_not_by_a_part(
    desk: Client, tree: UnionTree, worker: WorkerMaker
) -> None:
    worker(tree.shifo, name="赵小哥")
    assert len(desk.get(reverse("unions:workers"), {"q": "138 0013 8001"}).context["page"]) == 1
    assert len(desk.get(reverse("unions:workers"), {"q": "13800138"}).context["page"]) == 0


def test_unmasking_needs_a_reason_and_is_recorded(desk: Client, tree: UnionTree, worker: WorkerMaker) -> None:
    made = worker(tree.shifo)
    address = reverse("unions:unmask", args=[made.public_id])
    refused = desk.post(address, {"field": "phone", "reason": " "})
    assert refused.status_code == 422
    assert "13800138001" not in refused.content.decode()
    shown = desk.post(address, {"field": "phone", "reason": "联系失主"})
    assert "13800138001" in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    entry = AuditEntry.objects.with_scopes_disabled().get(action="people.unmasked")
    assert entry.details == {"field": "phone", "reason": "联系失主"}
    assert entry.target_id == str(made.public_id)
    assert "13800138001" not in desk.get(reverse("unions:worker", args=[made.public_id])).content.decode()


def test_the_trail_is_narrowed_by_who_what_when_and_target(desk: Client, tree: UnionTree) -> None:
    desk.post(reverse("unions:rename_union", args=[tree.shifo.public_id]), {"name": "石佛办总工会"})

    def count(**narrow: str) -> int:
        return len(desk.get(reverse("unions:audit"), {"action": "unions.renamed", **narrow}).context["shown"])

    assert count() == 1
    assert count(person="李管理") == 1
    assert count(person="别人") == 0
    assert count(target="石佛") == 1
    assert count(until="2020-01-01") == 0
    assert count(since="2020-01-01", union="石佛") == 1


def test_only_administrators_read_the_trail(client: Client, tree: UnionTree, post: PostMaker) -> None:
    for role in Role:
        client.force_login(post(tree.zhengzhou, role).user)
        assert client.get(reverse("unions:audit")).status_code == (200 if role == Role.ADMINISTRATOR else 403)


def test_every_declared_action_has_words(db: None) -> None:
    assert all(str(action.label).strip() for action in actions().values())


def test_a_worker_says_who_they_are(client: Client, tree: UnionTree, worker: WorkerMaker) -> None:
    made = worker()
    client.force_login(made.user)
    response = client.post(
        reverse("unions:account"),
        {"name": "赵小哥", "language": "zh-hans", "occupation": "courier", "platform_company": "快驿",
         "union": "410102100", "identity_number": "11010519491231002X"},
    )  # fmt: skip
    assert response.status_code == 302, response.context["form"].errors
    made = type(made).objects.with_scopes_disabled().get(pk=made.pk)
    assert (made.union, made.occupation, made.identity_number) == (tree.shifo, "courier", "11010519491231002X")
    assert made.masked_identity_number == "1101**********002X"
    page = client.get(reverse("unions:account")).content.decode()
    assert "11010519491231002X" not in page
    assert "1101**********002X" in page


def test_a_wrong_identity_number_is_refused_at_its_field(client: Client, tree: UnionTree, worker: WorkerMaker) -> None:
    client.force_login(worker().user)
    response = client.post(
        reverse("unions:account"), {"name": "x", "language": "en", "identity_number": "110105194912310021"}
    )
    assert "identity_number" in response.context["form"].errors


def test_what_is_refused_on_the_own_account_leaves_nothing_half_written(client: Client, worker: WorkerMaker) -> None:
    made = worker(name="赵小哥")
    client.force_login(made.user)
    response = client.post(
        reverse("unions:account"), {"name": "改名", "language": "en", "union": "没有这个工会", "occupation": "courier"}
    )
    assert "union" in response.context["form"].errors
    made.user.refresh_from_db()
    assert made.user.name == "赵小哥"


def test_workers_leave_their_union_and_take_back_their_occupation_by_emptying_the_fields(
    client: Client, tree: UnionTree, worker: WorkerMaker
) -> None:
    made = worker(tree.shifo)
    client.force_login(made.user)
    response = client.post(reverse("unions:account"), {"name": "赵小哥", "language": "zh-hans", "union": ""})
    assert response.status_code == 302
    made = type(made).objects.with_scopes_disabled().get(pk=made.pk)
    assert (made.union, made.occupation) == (None, "")
    entry = AuditEntry.objects.with_scopes_disabled().get(action="people.worker_changed")
    assert (entry.union, entry.details) == (tree.shifo, {"fields": ["occupation", "union"]})


@pytest.mark.parametrize("name", ["unions:unions", "unions:posts", "unions:workers", "unions:audit"])
def test_a_null_character_in_a_search_is_refused_in_words(desk: Client, name: str) -> None:
    response = desk.get(reverse(name), {"q": "a\x00b"})
    assert response.status_code == 400
    assert "</html>" in response.content.decode()
