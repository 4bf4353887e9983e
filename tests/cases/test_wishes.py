"""Wishes: reviewed, claimed by exactly one, handed over, confirmed, thanked for; things in stock never below zero."""

from __future__ import annotations

import contextlib
import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.cases.case_makers import make_case
from tests.cases.refusals import refused
from tests.conftest import PostMaker, UnionTree, WorkerMaker
from yizhan.cases.models import (
    Case,
    ClaimEnd,
    Sponsor,
    StockIssue,
    StockItem,
    StockMove,
    StockReason,
    Wish,
    WishClaim,
    WishState,
)
from yizhan.cases.queries.wishes import issues, late, lent_to, still_out, to_review, wall, wishes
from yizhan.cases.services import stock
from yizhan.cases.services.sponsors import link_of, renew_link, save_sponsor, sponsor_by_link
from yizhan.cases.services.verdict import confirm_result, reopen_case
from yizhan.cases.services.wishes import (
    CLAIM_DAYS,
    claim_wish,
    deliver_wish,
    free_wish,
    lapse_claims,
    publish_thanks,
    publish_wish,
    thank_for_wish,
    withdraw_wish,
)
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Union, Worker
from yizhan.unions.rights import OPERATOR, NotAllowed, Role


def wished(union: Union, worker: Worker, *, actor: Staff, title: str = "一件雨衣") -> Wish:
    case = make_case(union, kind="wish", title="想要雨衣", text="原来的破了", worker=worker)
    return publish_wish(case, title=title, words="跑单用", actor=actor)


def sponsor(union: Union, name: str = "爱心超市") -> Sponsor:
    return save_sponsor(union=union, actor=OPERATOR, name=name, contact_name="王经理", contact_phone="13900001111")


def now(wish: Wish) -> Wish:
    found: Wish = Wish.objects.with_scopes_disabled().select_related("case").get(pk=wish.pk)
    return found


def signed_in(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff.user)
    return client


def test_a_wish_goes_from_the_worker_to_the_wall_to_a_sponsor_and_back_as_thanks(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    admin, rider, kind = post(tree.zhongyuan), worker(tree.zhongyuan, name="李大明"), sponsor(tree.zhongyuan)
    case = make_case(tree.zhongyuan, kind="wish", title="想要雨衣", text="原来的破了", worker=rider)
    page = signed_in(admin).get(reverse("cases:desk_wishes"))
    assert list(page.context["waiting"]) == [case]
    with refused("personal"):
        publish_wish(case, title="李大明想要雨衣", actor=admin)
    with refused("personal"):
        publish_wish(case, title="一件雨衣", words="打 13800138000", actor=admin)
    wish = publish_wish(case, title="一件雨衣", words="跑单用", actor=admin)
    assert Client().get(reverse("cases:wall")).content.decode().count("一件雨衣") == 1
    open_page = Client().get(reverse("cases:public_wish", args=[wish.public_id])).content.decode()
    assert "李大明" not in open_page
    assert case.number not in open_page
    address = link_of(kind)
    told = Client().get(address)
    assert told.status_code == 200
    assert told["Referrer-Policy"] == "same-origin"
    for step, state in (("claim", WishState.CLAIMED), ("delivered", WishState.DELIVERED)):
        assert Client().post(f"{address}{wish.public_id}/{step}/").status_code == 302
        assert now(wish).state == state
    assert not wall().exists()
    assert now(wish).case.state == "proposed"
    own = Client()
    own.force_login(rider.user)
    assert "verdict" in own.get(reverse("cases:own", args=[case.public_id])).content.decode()
    confirm_result(case, stars=5)
    assert now(wish).is_confirmed
    own.post(reverse("cases:thank", args=[case.public_id]), {"words": "很合用，谢谢"})
    assert "很合用" not in Client().get(reverse("cases:wall")).content.decode()
    raw = Wish.objects.with_scopes_disabled().filter(pk=wish.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT thanks FROM cases_wish WHERE id = %s", [wish.pk])
        assert "很合用" not in cursor.fetchone()[0]
    publish_thanks(raw.get(), words="很合用，谢谢", actor=admin)
    shown = Client().get(reverse("cases:wall")).content.decode()
    assert "很合用" in shown
    assert "爱心超市" in shown


def test_a_claim_that_is_not_kept_is_free_again(tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> None:
    admin, first, second = post(tree.zhongyuan), sponsor(tree.zhongyuan), sponsor(tree.zhengzhou, "保险公司")
    wish = wished(tree.zhongyuan, worker(tree.zhongyuan), actor=admin)
    claim = claim_wish(wish, sponsor=first)
    assert claim_wish(wish, sponsor=first).pk == claim.pk
    with refused("taken"):
        claim_wish(wish, sponsor=second)
    with pytest.raises(RuleBroken):
        deliver_wish(wish, sponsor=second)
    with pytest.raises(RuleBroken):
        free_wish(wish, sponsor=second)
    assert lapse_claims() == 0
    assert lapse_claims(at=timezone.now() + timedelta(days=CLAIM_DAYS, seconds=5)) == 1
    assert lapse_claims(at=timezone.now() + timedelta(days=CLAIM_DAYS, seconds=5)) == 0
    assert WishClaim.objects.with_scopes_disabled().get(pk=claim.pk).ended_how == ClaimEnd.LAPSED
    claim_wish(wish, sponsor=second)
    free_wish(wish, actor=admin, words="联系不上")
    claim_wish(wish, sponsor=first, actor=admin)
    deliver_wish(wish, actor=admin)
    with refused("state"):
        free_wish(wish, actor=admin)
    reopen_case(wish.case, words="没有收到")
    assert not now(wish).is_confirmed
    with refused("state"):
        withdraw_wish(wish, words="错了", actor=admin)
    assert free_wish(wish, actor=admin, words="没有收到").state == WishState.PUBLISHED
    claim_wish(wish, sponsor=second)
    assert deliver_wish(wish, sponsor=second).state == WishState.DELIVERED


def test_what_is_withdrawn_or_not_a_wish_is_nowhere(tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> None:
    admin, kind = post(tree.zhongyuan), sponsor(tree.zhongyuan)
    wish = wished(tree.zhongyuan, worker(tree.zhongyuan), actor=admin)
    with refused("taken"):
        publish_wish(wish.case, title="又一次", actor=admin)
    withdraw_wish(wish, words="重复", actor=admin)
    assert Client().get(reverse("cases:public_wish", args=[wish.public_id])).status_code == 404
    with pytest.raises(RuleBroken):
        claim_wish(wish, sponsor=kind)
    need = make_case(tree.zhongyuan, worker=worker(tree.zhongyuan))
    with pytest.raises(RuleBroken):
        publish_wish(need, title="充电口", actor=admin)
    assert publish_wish(now(wish).case, title="一件雨衣", actor=admin).pk == wish.pk
    with pytest.raises(RuleBroken):
        thank_for_wish(wish, worker=worker(tree.zhongyuan), words="谢谢")


def test_a_link_is_worthless_when_forged_renewed_or_of_another_union(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    admin, here, there = post(tree.zhongyuan), sponsor(tree.zhongyuan), sponsor(tree.jinshui, "金水超市")
    wish = wished(tree.zhongyuan, worker(tree.zhongyuan), actor=admin)
    address = link_of(here)
    assert Client().get(link_of(there)).context["page"].paginator.count == 0
    assert Client().post(f"{link_of(there)}{wish.public_id}/claim/").status_code == 404
    forged = address.replace(str(here.public_id), str(there.public_id))
    assert Client().get(forged).status_code == 404
    renew_link(here, actor=admin)
    assert Client().get(address).status_code == 404
    again = sponsor_by_link(here.public_id, link_of(Sponsor.rules.get(pk=here.pk)).split("/")[-2])
    assert again == here
    save_sponsor(union=tree.zhongyuan, actor=admin, sponsor=again, name=again.name, is_active=False)
    with pytest.raises(Sponsor.DoesNotExist):
        sponsor_by_link(here.public_id, link_of(again).split("/")[-2])


def test_a_neighbour_neither_sees_nor_changes_wishes_sponsors_or_stock(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    admin, neighbour, reader = post(tree.zhongyuan), post(tree.jinshui), post(tree.zhongyuan, Role.READER)
    rider, kind = worker(tree.zhongyuan), sponsor(tree.zhongyuan)
    wish = wished(tree.zhongyuan, rider, actor=admin)
    item = stock.make_item(union=tree.zhongyuan, actor=admin, name="充电宝", is_lent=True, quantity=3)
    issue = stock.issue_item(item, quantity=1, actor=admin, worker=rider)
    assert not wishes(for_staff=neighbour).exists()
    assert not to_review(for_staff=neighbour).exists()
    for actor in (neighbour, reader):
        with pytest.raises(NotAllowed):
            withdraw_wish(wish, words="x", actor=actor)
        with pytest.raises(NotAllowed):
            claim_wish(wish, sponsor=kind, actor=actor)
        with pytest.raises(NotAllowed):
            renew_link(kind, actor=actor)
        with pytest.raises(NotAllowed):
            stock.change_stock(item, change=1, reason=StockReason.BOUGHT, actor=actor)
        with pytest.raises(NotAllowed):
            stock.return_item(issue, returned=1, actor=actor)
    client = signed_in(neighbour)
    for name, thing in (("wish", wish), ("sponsor", kind), ("stock_item", item)):
        assert client.get(reverse(f"cases:{name}", args=[thing.public_id])).status_code == 404
    for name in ("desk_wishes", "sponsors", "stock", "stock_out"):
        assert not client.get(reverse(f"cases:{name}")).context["page"].paginator.count
    assert client.get(reverse("cases:stock_export", args=["csv"]))["X-Row-Count"] == "0"


def test_stock_is_what_its_moves_add_up_to_and_what_is_late_is_listed(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    admin, rider = post(tree.zhongyuan), worker(tree.zhongyuan)
    item = stock.make_item(
        union=tree.zhongyuan, actor=admin, name="充电宝", unit="个", is_lent=True, lent_days=3, quantity=5
    )
    key = uuid4()
    long_ago = timezone.now() - timedelta(days=9)
    issue = stock.issue_item(item, quantity=2, actor=admin, worker=rider, request_id=key, at=long_ago)
    assert stock.issue_item(item, quantity=2, actor=admin, worker=rider, request_id=key).pk == issue.pk
    with refused("too_few"):
        stock.issue_item(item, quantity=4, actor=admin, worker=rider)
    with pytest.raises(IntegrityError), transaction.atomic():
        StockItem.objects.with_scopes_disabled().filter(pk=item.pk).update(quantity=-1)
    page = signed_in(admin).get(f"{reverse('cases:stock_out')}?state=late")
    assert [one.pk for one in page.context["page"]] == [issue.pk]
    assert lent_to(rider)[0].is_late
    with refused("number"):
        stock.return_item(issue, returned=3, actor=admin)
    stock.return_item(issue, returned=1, actor=admin)
    stock.return_item(issue, lost=1, actor=admin)
    with pytest.raises(RuleBroken):
        stock.return_item(issue, returned=1, actor=admin)
    assert not StockIssue.objects.with_scopes_disabled().get(pk=issue.pk).is_out
    stock.count_stock(item, counted=3, actor=admin)
    moves = StockMove.objects.with_scopes_disabled().filter(item=item)
    left = StockItem.objects.with_scopes_disabled().get(pk=item.pk).quantity
    assert left == sum(move.change for move in moves) == 3
    client = signed_in(admin)
    for name in ("stock", "stock_out", "new_stock_item"):
        assert client.get(reverse(f"cases:{name}")).status_code == 200
    assert client.get(item.get_absolute_url()).status_code == 200
    posted = client.post(
        reverse("cases:stock_issue", args=[item.public_id]),
        {"request_id": str(uuid4()), "worker": "没有这个人", "quantity": 1},
    )
    assert posted.status_code == 422


def test_the_lists_ask_as_much_for_many_as_for_few(tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> None:
    admin, rider, kind = post(tree.zhongyuan), worker(tree.zhongyuan), sponsor(tree.zhongyuan)
    client = signed_in(admin)
    item = stock.make_item(union=tree.zhongyuan, actor=admin, name="充电宝", is_lent=True, quantity=50)
    addresses = [reverse(f"cases:{name}") for name in ("desk_wishes", "wall", "sponsors", "stock", "stock_out")]

    def asked() -> list[int]:
        counts = []
        for address in addresses:
            with CaptureQueriesContext(connection) as queries:
                assert client.get(address).status_code == 200
            counts.append(len(queries))
        return counts

    def more(number: int) -> None:
        claim_wish(wished(tree.zhongyuan, rider, actor=admin), sponsor=kind)
        wished(tree.zhongyuan, rider, actor=admin)
        make_case(tree.zhongyuan, kind="wish", worker=rider)
        stock.issue_item(item, quantity=1, actor=admin, worker=worker(tree.zhongyuan))
        stock.make_item(union=tree.zhongyuan, actor=admin, name=f"雨衣{number}")

    more(1)
    asked()
    few = asked()
    for number in range(2, 5):
        more(number)
    assert asked() == few
    assert max(few) <= 20
    assert late(issues_of(admin)).count() == 0
    assert still_out(issues_of(admin)).count() == 4


def issues_of(staff: Staff) -> object:
    from django_scopes import scope

    with scope(union=staff.union.path):
        return issues(for_staff=staff).all()


@pytest.mark.django_db(transaction=True)
def test_of_two_sponsors_at_once_exactly_one_wins_and_the_last_thing_goes_out_once(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    admin, rider = post(tree.zhongyuan), worker(tree.zhongyuan)
    sponsors = [sponsor(tree.zhongyuan, f"爱心企业{number}") for number in range(4)]
    wish = wished(tree.zhongyuan, rider, actor=admin)
    item = stock.make_item(union=tree.zhongyuan, actor=admin, name="充电宝", is_lent=True, quantity=1)
    won: list[str] = []
    gate = threading.Barrier(4)

    def run(kind: Sponsor) -> None:
        gate.wait(30)
        with contextlib.suppress(RuleBroken):
            claim_wish(wish, sponsor=kind)
            won.append("wish")
        with contextlib.suppress(RuleBroken):
            stock.issue_item(item, quantity=1, actor=admin, worker=rider)
            won.append("thing")
        connection.close()

    threads = [threading.Thread(target=run, args=(kind,)) for kind in sponsors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(won) == ["thing", "wish"]
    standing = WishClaim.objects.with_scopes_disabled().filter(wish=wish, ended_at=None)
    assert standing.count() == 1
    assert StockItem.objects.with_scopes_disabled().get(pk=item.pk).quantity == 0
    with pytest.raises(IntegrityError), transaction.atomic():
        WishClaim.objects.with_scopes_disabled().create(
            wish=wish,
            sponsor=sponsors[0],
            claimed_at=timezone.now(),
            until=timezone.now() + timedelta(days=1),
        )
    assert Case.objects.with_scopes_disabled().get(pk=wish.case_id).state == "accepted"
