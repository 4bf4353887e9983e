"""The audit trail: append-only, kept as long as needed, and no longer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from tests.conftest import PostMaker, UnionTree, truncation_of_the_trail
from yizhan.unions import actions
from yizhan.unions.audit import Action, declare_action, record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import AuditEntry
from yizhan.unions.queries import trail as queries
from yizhan.unions.rights import OPERATOR, NotAllowed, Role
from yizhan.unions.services.trail import purge_trail

ACT = declare_action("test.act", "did something")


def age(entry: AuditEntry, days: int) -> None:
    """Make an entry older than it is, past the trigger that forbids it."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE unions_auditentry SET at = %s WHERE id = %s", [timezone.now() - timedelta(days=days), entry.pk]
        )
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def test_the_database_itself_refuses_to_change_or_remove_an_entry(tree: UnionTree, post: PostMaker) -> None:
    entry = record(post(tree.henan), ACT, union=tree.henan)
    entries = AuditEntry.objects.with_scopes_disabled()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    truncation_of_the_trail(allowed=False)
    for attempt in (
        lambda: entries.filter(pk=entry.pk).update(action="x"),
        lambda: entries.filter(pk=entry.pk).delete(),
        entry.save,
        entry.delete,
        lambda: connection.cursor().execute("DELETE FROM unions_auditentry"),
        lambda: connection.cursor().execute("TRUNCATE unions_auditentry"),
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            attempt()
    assert entries.get().action == "test.act"


def test_a_purge_removes_only_what_is_past_its_retention_and_is_recorded(
    tree: UnionTree, post: PostMaker, settings: Settings
) -> None:
    settings.AUDIT_RETENTION_DAYS = 183
    staff = post(tree.henan)
    for days in (400, 200, 100, 0):
        age(record(staff, ACT, union=tree.henan, details={"days": days}), days)
    with pytest.raises(RuleBroken) as broken:
        purge_trail(keep_days=182)
    assert broken.value.problems[0].code == "too_few"
    assert purge_trail(keep_days=300) == 1
    assert purge_trail() == 1
    assert purge_trail() == 0
    left = AuditEntry.objects.with_scopes_disabled().order_by("pk")
    assert [entry.details.get("days") for entry in left.filter(action="test.act")] == [100, 0]
    assert [entry.details["removed"] for entry in left.filter(action="audit.purged")] == [1, 1]


def test_after_a_purge_the_trail_is_append_only_again(tree: UnionTree, post: PostMaker) -> None:
    record(post(tree.henan), ACT, union=tree.henan)
    purge_trail()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.with_scopes_disabled().all().delete()


def test_only_declared_acts_are_recorded(db: None) -> None:
    with pytest.raises(ValueError, match=r"test\.unheard"):
        record(None, Action("test.unheard", "…"), union=None)


def test_an_act_that_fails_leaves_no_entry(tree: UnionTree) -> None:
    class Failure(Exception):
        pass

    def act() -> None:
        with transaction.atomic():
            record(OPERATOR, ACT, union=tree.henan)
            raise Failure

    with pytest.raises(Failure):
        act()
    assert not AuditEntry.objects.with_scopes_disabled().exists()


def test_an_administrator_reads_the_trail_of_the_own_union_and_below(tree: UnionTree, post: PostMaker) -> None:
    admin = post(tree.zhongyuan)
    for union in (tree.zhengzhou, tree.zhongyuan, tree.shifo, tree.jinshui, None):
        record(OPERATOR, ACT, union=union)
    assert {entry.union for entry in queries.entries(for_staff=admin)} == {tree.zhongyuan, tree.shifo}
    with pytest.raises(NotAllowed):
        queries.entries(for_staff=post(tree.zhongyuan, Role.CADRE))


def test_an_entry_knows_who_from_where_and_in_which_request(client: Client, tree: UnionTree, post: PostMaker) -> None:
    admin = post(tree.zhongyuan)
    client.force_login(admin.user)
    client.post(
        reverse("unions:rename_union", args=[tree.shifo.public_id]),
        {"name": "石佛办总工会"},
        headers={"x-client-address": "10.1.2.3"},
    )
    entry = AuditEntry.objects.with_scopes_disabled().get(action=actions.UNION_RENAMED.name)
    assert (entry.person, entry.post, entry.union, entry.address) == (admin.user, admin, tree.shifo, "10.1.2.3")
    assert entry.request_id
    assert entry.details == {"earlier": "石佛镇总工会", "now": "石佛办总工会"}


def test_reading_the_trail_is_itself_an_entry(client: Client, tree: UnionTree, post: PostMaker) -> None:
    client.force_login(post(tree.zhongyuan).user)
    client.get(reverse("unions:audit"))
    assert AuditEntry.objects.with_scopes_disabled().filter(action="audit.read").count() == 1
