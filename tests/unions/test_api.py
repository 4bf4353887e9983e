"""What programs may ask about unions and about who they are."""

from __future__ import annotations

from django.test import Client

from tests.conftest import PostMaker, UnionTree, WorkerMaker
from yizhan.unions.rights import Role


def test_the_tree_is_public_and_read_level_by_level(client: Client, tree: UnionTree) -> None:
    top = client.get("/api/unions").json()
    assert [item["name"] for item in top["items"]] == ["河南省总工会", "广东省总工会"]
    below = client.get("/api/unions", {"parent": top["items"][0]["id"]}).json()
    assert below["items"] == [
        {
            "id": str(tree.zhengzhou.public_id),
            "name": "郑州市总工会",
            "level": "city",
            "division_code": "4101",
            "has_children": True,
        }
    ]


def test_pages_by_cursor_hold_every_union_once(client: Client, tree: UnionTree) -> None:
    seen: list[str] = []
    question = {"limit": "1", "parent": str(tree.zhengzhou.public_id)}
    while True:
        page = client.get("/api/unions", question).json()
        seen += [item["name"] for item in page["items"]]
        if page["next"] is None:
            break
        question["after"] = page["next"]
    assert seen == ["中原区总工会", "金水区总工会"]


def test_a_deactivated_union_is_not_shown(client: Client, tree: UnionTree) -> None:
    tree.guangdong.is_active = False
    tree.guangdong.save()
    assert "广东省总工会" not in client.get("/api/unions").content.decode()
    assert client.get("/api/unions", {"parent": str(tree.guangdong.public_id)}).status_code == 404


def test_wrong_questions_are_answered_with_the_rule(client: Client, db: None) -> None:
    for query in ({"limit": 0}, {"limit": 201}, {"parent": "x"}):
        answer = client.get("/api/unions", query)
        assert answer.status_code == 422
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["errors"]


def test_a_stranger_is_told_to_sign_in(client: Client, db: None) -> None:
    assert client.get("/api/me").status_code == 401


def test_staff_and_workers_learn_who_they_are(
    client: Client, tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    staff = post(tree.shifo, Role.KEEPER)
    client.force_login(staff.user)
    answer = client.get("/api/me").json()
    assert [(held["role"], held["union_name"], held["is_acting"]) for held in answer["posts"]] == [
        ("keeper", "石佛镇总工会", True)
    ]
    client.force_login(worker().user)
    answer = client.get("/api/me").json()
    assert (answer["is_worker"], answer["phone"], answer["posts"]) == (True, "138****8001", [])


def test_a_null_character_and_a_wrong_method_are_refused_as_problems(client: Client, db: None) -> None:
    unreadable = client.get("/api/places", {"offer": "a\x00", "datum": "WGS-84"})
    assert (unreadable.status_code, unreadable["Content-Type"]) == (400, "application/problem+json")
    wrong = client.post("/api/unions")
    assert (wrong.status_code, wrong["Content-Type"]) == (405, "application/problem+json")
    assert wrong["Allow"] == "GET"
