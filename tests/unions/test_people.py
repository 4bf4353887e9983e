"""Posts and workers: who may give what to whom."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core.exceptions import PermissionDenied

from tests.conftest import PostMaker, UnionTree, WorkerMaker
from yizhan.unions import actions, tasks
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import AuditEntry, Membership, Occupation, Staff, User, Worker
from yizhan.unions.queries import people as queries
from yizhan.unions.rights import OPERATOR, NotAllowed, Role
from yizhan.unions.services import workers
from yizhan.unions.services.people import (
    change_role,
    create_post,
    deactivate_post,
    give_password,
    one_time_password,
    reactivate_post,
    remove_second_factors,
)
from yizhan.unions.services.workers import unmask, update_worker

NUMBER = "11010519491231002X"


def codes(broken: pytest.ExceptionInfo[RuleBroken]) -> set[tuple[str, str]]:
    return {(problem.field, problem.code) for problem in broken.value.problems}


def test_an_administrator_gives_posts_at_the_own_union_and_below_only(tree: UnionTree, post: PostMaker) -> None:
    admin = post(tree.zhongyuan)
    for number, union in enumerate((tree.zhongyuan, tree.shifo)):
        made, password = create_post(actor=admin, union=union, role=Role.CADRE, username=f"new{number}", name="新人")
        assert password is not None
        assert made.user.check_password(password)
    for union in (tree.zhengzhou, tree.jinshui, tree.shenzhen):
        with pytest.raises(NotAllowed):
            create_post(actor=admin, union=union, role=Role.READER, username="other", name="别人")
    assert not User.objects.filter(username="other").exists()


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMINISTRATOR])
def test_other_roles_give_no_posts(tree: UnionTree, post: PostMaker, role: Role) -> None:
    staff, held = post(tree.henan, role), post(tree.shifo, Role.READER)
    with pytest.raises(NotAllowed):
        create_post(actor=staff, union=tree.shifo, role=Role.READER, username="other", name="别人")
    with pytest.raises(NotAllowed):
        change_role(actor=staff, post=held, role=Role.ADMINISTRATOR)
    with pytest.raises(NotAllowed):
        give_password(actor=staff, post=held)


def test_a_person_gets_a_further_post_from_who_manages_all_their_posts(tree: UnionTree, post: PostMaker) -> None:
    held = post(tree.shifo, Role.KEEPER)
    username = str(held.user.username)
    further, password = create_post(
        actor=post(tree.zhengzhou), union=tree.jinshui, role=Role.KEEPER, username=username.upper()
    )
    assert (further.user, password) == (held.user, None)
    with pytest.raises(RuleBroken) as broken:
        create_post(actor=post(tree.jinshui), union=tree.jinshui, role=Role.CADRE, username=username)
    assert codes(broken) == {("username", "taken")}
    with pytest.raises(RuleBroken) as broken:
        create_post(actor=OPERATOR, union=tree.jinshui, role=Role.KEEPER, username=username)
    assert codes(broken) == {("role", "taken")}


@pytest.mark.parametrize(
    ("username", "name", "expected"),
    [
        ("ab", "王", {("username", "not_a_username")}),
        ("a b c", "王", {("username", "not_a_username")}),
        ("13812345678", "王", {("username", "digits")}),
        ("x" * 61, "长" * 61, {("username", "not_a_username"), ("name", "too_long")}),
        ("wang", "", {("name", "required")}),
    ],
)
def test_what_is_wrong_with_a_new_person_is_named(
    tree: UnionTree, username: str, name: str, expected: set[tuple[str, str]]
) -> None:
    with pytest.raises(RuleBroken) as broken:
        create_post(actor=OPERATOR, union=tree.henan, role=Role.CADRE, username=username, name=name)
    assert codes(broken) == expected
    assert not User.objects.exists()


def test_nobody_changes_their_own_post(tree: UnionTree, post: PostMaker) -> None:
    admin = post(tree.zhongyuan)
    for act in (
        lambda: change_role(actor=admin, post=admin, role=Role.READER),
        lambda: deactivate_post(actor=admin, post=admin),
        lambda: give_password(actor=admin, post=admin),
        lambda: remove_second_factors(actor=admin, post=admin),
    ):
        with pytest.raises(RuleBroken) as broken:
            act()
        assert codes(broken) == {("post", "own_post")}


def test_a_lower_administrator_cannot_take_over_who_also_acts_higher_up(tree: UnionTree, post: PostMaker) -> None:
    high = post(tree.zhengzhou, Role.ADMINISTRATOR)
    low = Staff.objects.create(user=high.user, union=tree.shifo, role=Role.KEEPER)
    with pytest.raises(NotAllowed):
        give_password(actor=post(tree.zhongyuan), post=low)
    assert User.objects.get(pk=high.user_id).check_password("a long sentence")
    password = give_password(actor=post(tree.henan), post=low)
    assert User.objects.get(pk=high.user_id).check_password(password)


def test_who_lost_the_phone_gets_a_fresh_start_from_who_manages_all_their_posts(
    tree: UnionTree, post: PostMaker
) -> None:
    high = post(tree.zhengzhou, Role.ADMINISTRATOR)
    low = Staff.objects.create(user=high.user, union=tree.shifo, role=Role.KEEPER)
    for kind in (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES):
        Authenticator.objects.create(user=high.user, type=kind, data={})
    with pytest.raises(NotAllowed):
        remove_second_factors(actor=post(tree.zhongyuan), post=low)
    assert remove_second_factors(actor=post(tree.henan), post=low) == 2
    assert not Authenticator.objects.exists()
    assert AuditEntry.objects.with_scopes_disabled().get().details == {"removed": 2}


def test_taking_a_post_away_keeps_the_person_and_can_be_undone(tree: UnionTree, post: PostMaker) -> None:
    admin, held = post(tree.zhongyuan), post(tree.shifo, Role.KEEPER)
    deactivate_post(actor=admin, post=held)
    deactivate_post(actor=admin, post=held)
    assert reactivate_post(actor=admin, post=held).is_active
    entries = AuditEntry.objects.with_scopes_disabled().order_by("pk")
    assert [entry.action for entry in entries] == ["people.post_deactivated", "people.post_reactivated"]


def test_one_time_passwords_are_legible_and_never_the_same() -> None:
    made = {one_time_password() for _turn in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"([a-hjkmnp-z2-9]{4}-){3}[a-hjkmnp-z2-9]{4}", password) for password in made)


def test_posts_and_workers_are_listed_for_the_own_union_and_below(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    head = post(tree.zhongyuan, Role.CADRE)
    below, beside = post(tree.shifo, Role.KEEPER), post(tree.jinshui, Role.KEEPER)
    seen = set(queries.posts(for_staff=head))
    assert below in seen
    assert beside not in seen
    here, elsewhere, nowhere = worker(tree.shifo), worker(tree.jinshui), worker()
    assert set(queries.workers(for_staff=head)) == {here}
    assert elsewhere != nowhere


def test_a_worker_changes_what_is_theirs_but_not_the_membership(tree: UnionTree, worker: WorkerMaker) -> None:
    made = worker()
    changed = update_worker(
        actor=made.user, worker=made, union=tree.shifo, occupation=Occupation.COURIER, identity_number=NUMBER.lower()
    )
    assert (changed.union, changed.occupation, changed.identity_number) == (tree.shifo, "courier", NUMBER)
    with pytest.raises(PermissionDenied):
        update_worker(actor=made.user, worker=made, membership=Membership.MEMBER)
    with pytest.raises(PermissionDenied):
        update_worker(actor=worker().user, worker=made, occupation=Occupation.OTHER)
    entry = AuditEntry.objects.with_scopes_disabled().get(action="people.worker_changed")
    assert NUMBER not in str(entry.details)
    assert entry.details == {"fields": ["identity_number", "occupation", "union"]}
    assert update_worker(actor=made.user, worker=made, identity_number="").identity_number is None


def test_two_workers_cannot_have_one_identity_number(worker: WorkerMaker) -> None:
    first, second = worker(), worker()
    update_worker(actor=first.user, worker=first, identity_number=NUMBER)
    with pytest.raises(RuleBroken) as broken:
        update_worker(actor=second.user, worker=second, identity_number=NUMBER)
    assert codes(broken) == {("identity_number", "taken")}


def test_staff_change_workers_of_their_union_and_move_them_only_within_reach(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    made = worker(tree.shifo)
    head = post(tree.zhongyuan, Role.CADRE)
    assert update_worker(actor=head, worker=made, membership=Membership.MEMBER).membership == "member"
    for wrong in (lambda: update_worker(actor=head, worker=made, union=tree.jinshui),
                  lambda: update_worker(actor=post(tree.jinshui), worker=made, membership=Membership.NONE),
                  lambda: update_worker(actor=head, worker=worker(), membership=Membership.MEMBER)):  # fmt: skip
        with pytest.raises(NotAllowed):
            wrong()


@pytest.mark.parametrize("role", [Role.KEEPER, Role.FINANCE, Role.READER])
def test_roles_without_the_right_see_nothing_unmasked(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker, role: Role
) -> None:
    with pytest.raises(NotAllowed):
        unmask(actor=post(tree.zhengzhou, role), worker=worker(tree.shifo), field="phone", reason="联系失主")


def test_unmasking_says_what_is_wrong_and_writes_nothing_then(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    cadre, made = post(tree.zhengzhou, Role.CADRE), worker(tree.shifo)
    for field, reason, expected in [
        ("phone", "啊", {("reason", "required")}),
        ("password", "联系失主", {("field", "unknown")}),
        ("identity_number", "联系失主", {("field", "empty")}),
    ]:
        with pytest.raises(RuleBroken) as broken:
            unmask(actor=cadre, worker=made, field=field, reason=reason)
        assert codes(broken) == expected
    with pytest.raises(NotAllowed):
        unmask(actor=cadre, worker=worker(), field="phone", reason="联系失主")
    assert not AuditEntry.objects.with_scopes_disabled().exists()


def test_an_unproved_number_makes_way_for_who_proves_it(tree: UnionTree, worker: WorkerMaker) -> None:
    stub = workers.person_with_phone("+8613900139000")
    assert workers.person_with_phone("+8613900139000") == stub
    made = worker()
    workers.phone_was_proved(user=made.user, phone="+8613900139000")
    assert User.objects.with_phone("+8613900139000") == made.user
    assert User.objects.get(pk=stub.pk).phone is None
    assert Worker.objects.with_scopes_disabled().count() == 1


def test_numbers_that_nobody_proved_are_forgotten_after_a_day(tree: UnionTree, worker: WorkerMaker) -> None:
    kept = worker()
    start = time_machine.travel(1_790_000_000, tick=False)
    with start as clock:
        typed, tried = workers.person_with_phone("+8613900139000"), workers.person_with_phone("+8613900139001")
        record(tried, actions.SIGN_IN_FAILED, union=None, target=tried)
        clock.shift(timedelta(hours=23))
        assert workers.forget_unproved_phones() == 0
        clock.shift(timedelta(hours=2))
        fresh = workers.person_with_phone("+8613900139002")
        assert workers.forget_unproved_phones() == 1
        assert workers.forget_unproved_phones() == 0
    assert not User.objects.filter(pk=typed.pk).exists()
    assert User.objects.get(pk=tried.pk).phone is None  # the trail names it
    assert User.objects.get(pk=fresh.pk).phone
    assert User.objects.get(pk=kept.user_id).phone


def test_what_runs_by_itself_is_known_to_the_job_queue(db: None) -> None:
    from procrastinate.contrib.django import app

    assert {"yizhan.unions.tasks.purge_trail", "yizhan.unions.tasks.forget_unproved_phones"} <= set(app.tasks)
    assert tasks.purge_trail(timestamp=0) == 0
    assert tasks.forget_unproved_phones(timestamp=0) == 0
