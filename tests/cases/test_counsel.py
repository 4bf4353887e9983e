"""Help with rights: the roster, the thread inside the circle, appointments that nobody books twice."""

from __future__ import annotations

import contextlib
import threading
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.cases.case_makers import make_case, shanghai
from tests.cases.refusals import refused
from tests.conftest import PostMaker, UnionTree, WorkerMaker
from yizhan.cases.models import Appointment, AppointmentState, Case, CaseMessage, Helper
from yizhan.cases.queries.counsel import helpers_for, on_duty, slots_of
from yizhan.cases.services.counsel import (
    book_appointment,
    end_appointment,
    read_messages,
    remind_of_appointments,
    write_message,
)
from yizhan.cases.services.kinds import set_circle
from yizhan.cases.services.parties import add_co_handler
from yizhan.cases.services.roster import save_helper
from yizhan.geo import Datum
from yizhan.places.models import Place
from yizhan.places.services import PlaceFacts, create_place, publish_place
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import AuditEntry, InboxMessage, Staff, Union
from yizhan.unions.rights import OPERATOR, NotAllowed, Role

HOURS = "Mo-Su 09:00-10:30"
SECRET = "站点欠薪的细节"


def station(union: Union, actor: Staff) -> Place:
    facts = PlaceFacts(name="劳模驿站", lon=113.62, lat=34.75, datum=Datum.WGS84)
    place: Place = publish_place(create_place(facts, union=union, actor=actor), actor=actor)
    return place


def on_roster(post: Staff, place: Place | None, **told: object) -> Helper:
    facts = {"kind": "lawyer", "hours": HOURS, "slot_minutes": 30, **told}
    return save_helper(post=post, place=place, actor=OPERATOR, **facts)  # type: ignore[arg-type]


def secret(tree: UnionTree, worker: WorkerMaker) -> Case:
    return make_case(tree.zhongyuan, kind="rights", title=SECRET, worker=worker(tree.zhongyuan))


def tomorrow(hour: int, minute: int = 0) -> datetime:
    day = timezone.localtime() + timedelta(days=1)
    return shanghai(day.year, day.month, day.day, hour, minute)


def signed_in(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff.user)
    return client


def test_the_thread_is_encrypted_read_by_the_circle_only_and_each_reading_is_recorded(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    admin, cadre, above = post(tree.zhongyuan), post(tree.zhongyuan, Role.CADRE), post(tree.zhengzhou)
    case = secret(tree, worker)
    assert case.worker is not None
    key = uuid4()
    first = write_message(case, text=SECRET, request_id=key)
    assert write_message(case, text=SECRET, request_id=key).pk == first.pk
    assert InboxMessage.objects.with_scopes_disabled().filter(post=admin, body__contains=SECRET).count() == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM cases_casemessage")
        assert SECRET not in str(cursor.fetchall())
    for outsider in (cadre, above):
        for call in (
            lambda who=outsider: read_messages(case, reader=who),
            lambda who=outsider: write_message(case, text="x", request_id=uuid4(), actor=who),
        ):
            with pytest.raises(NotAllowed):
                call()
        assert signed_in(outsider).get(reverse("cases:talk", args=[case.public_id])).status_code == 404
    before = AuditEntry.objects.with_scopes_disabled().filter(action="rights.messages_read").count()
    page = signed_in(admin).get(reverse("cases:talk", args=[case.public_id]))
    assert SECRET in page.content.decode()
    assert AuditEntry.objects.with_scopes_disabled().filter(action="rights.messages_read").count() == before + 1
    assert CaseMessage.objects.with_scopes_disabled().get().read_at is not None
    signed_in(admin).post(
        reverse("cases:talk", args=[case.public_id]), {"request_id": str(uuid4()), "text": "请带上合同"}
    )
    own = Client()
    own.force_login(case.worker.user)
    address = reverse("cases:own_talk", args=[case.public_id])
    assert "请带上合同" in own.get(address).content.decode()
    assert str(admin.user) not in own.get(address).content.decode()
    stranger = Client()
    stranger.force_login(worker(tree.zhongyuan).user)
    assert stranger.get(address).status_code == 404
    plain = make_case(tree.zhongyuan, worker=case.worker)
    assert own.get(reverse("cases:own_talk", args=[plain.public_id])).status_code == 404
    with refused("plain"):
        write_message(plain, text="x", request_id=uuid4())


def test_only_who_sees_to_the_case_can_be_met(tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> None:
    admin, lawyer, elsewhere = post(tree.zhongyuan), post(tree.zhongyuan, Role.CADRE), post(tree.jinshui, Role.CADRE)
    place = station(tree.zhongyuan, admin)
    on_roster(lawyer, place)
    far = on_roster(elsewhere, None)
    case = secret(tree, worker)
    assert not helpers_for(case).exists()
    set_circle(tree.zhongyuan, "rights", [admin, lawyer], actor=admin)
    assert [one.post for one in helpers_for(case)] == [lawyer]
    with refused("elsewhere"):
        book_appointment(case, helper=far, starts_at=tomorrow(9))
    add_co_handler(case, actor=admin, staff=elsewhere, words="请代理")
    assert {one.post for one in helpers_for(case)} == {lawyer, elsewhere}


def test_slots_follow_duty_and_a_booked_one_is_gone(tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> None:
    admin = post(tree.zhongyuan)
    helper = on_roster(admin, station(tree.zhongyuan, admin))
    case, other = secret(tree, worker), secret(tree, worker)
    free = [slot.starts_at for slot in slots_of(helper)]
    assert tomorrow(9) in free
    assert tomorrow(10) in free
    assert tomorrow(10, 30) not in free
    assert len({one.pk for one in [helper]} & on_duty([helper], at=tomorrow(9, 15))) == 1
    assert on_duty([helper], at=tomorrow(11)) == set()
    made = book_appointment(case, helper=helper, starts_at=tomorrow(9), words="带合同")
    assert book_appointment(case, helper=helper, starts_at=tomorrow(9)).pk == made.pk
    assert tomorrow(9) not in [slot.starts_at for slot in slots_of(helper)]
    with refused("taken"):
        book_appointment(other, helper=helper, starts_at=tomorrow(9))
    with refused("one_ahead"):
        book_appointment(case, helper=helper, starts_at=tomorrow(9, 30))
    # Longer talks from now on: what would overlap the booked one is not free, though it does not begin alike.
    save_helper(post=admin, kind="lawyer", hours="Mo-Su 08:45-10:30", slot_minutes=45, place=helper.place,
                actor=admin, helper=helper)  # fmt: skip
    assert tomorrow(8, 45) not in [slot.starts_at for slot in slots_of(helper)]
    assert tomorrow(9, 30) in [slot.starts_at for slot in slots_of(helper)]
    with pytest.raises(IntegrityError), transaction.atomic():
        Appointment.objects.with_scopes_disabled().create(
            case=other, helper=helper, place=made.place, starts_at=made.starts_at, ends_at=made.ends_at,
            booked_at=timezone.now(),
        )  # fmt: skip
    end_appointment(made, state=AppointmentState.CANCELLED)
    assert end_appointment(made, state=AppointmentState.CANCELLED).state == "cancelled"
    with refused("state"):
        end_appointment(made, state=AppointmentState.KEPT, actor=admin)


def test_a_reminder_is_sent_once_and_what_happened_is_said_after_it_began(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    admin = post(tree.zhongyuan)
    helper = on_roster(admin, station(tree.zhongyuan, admin), hours="Mo-Su 00:00-24:00")
    case = secret(tree, worker)
    soon = next(slot for slot in slots_of(helper, since=timezone.now() + timedelta(hours=2)))
    made = book_appointment(case, helper=helper, starts_at=soon.starts_at)
    assert remind_of_appointments() == 1
    assert remind_of_appointments() == 0
    told = InboxMessage.objects.with_scopes_disabled().filter(post=admin, link=case.get_absolute_url())
    assert any("提醒" in message.body or "Reminder" in message.body for message in told)
    with refused("early"):
        end_appointment(made, state=AppointmentState.KEPT, actor=admin)
    with pytest.raises(NotAllowed):
        end_appointment(made, state=AppointmentState.CANCELLED, actor=post(tree.jinshui))
    later = soon.starts_at + timedelta(minutes=40)
    with refused("late"):
        end_appointment(made, state=AppointmentState.CANCELLED, at=later)
    assert end_appointment(made, state=AppointmentState.KEPT, actor=admin, at=later).state == "kept"


def test_worker_and_helper_book_and_cancel_on_their_pages(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    admin = post(tree.zhongyuan)
    helper = on_roster(admin, station(tree.zhongyuan, admin))
    case = secret(tree, worker)
    assert case.worker is not None
    own = Client()
    own.force_login(case.worker.user)
    address = reverse("cases:own_talk", args=[case.public_id])
    assert "劳模驿站" in own.get(address).content.decode()
    book = reverse("cases:own_book", args=[case.public_id, helper.public_id])
    own.post(book, {"slot": tomorrow(9).isoformat(), "words": ""})
    assert not Appointment.objects.with_scopes_disabled().exists()  # not one of the choices as they are written
    chosen = slots_of(helper)[-1].starts_at
    own.post(book, {"slot": chosen.isoformat(), "words": "带合同"})
    made = Appointment.objects.with_scopes_disabled().get()
    assert made.booked_by is None
    assert signed_in(admin).get(reverse("cases:roster")).context["ahead"] == [made]
    assert signed_in(post(tree.zhengzhou)).get(reverse("cases:roster")).context["ahead"] == []
    end = reverse("cases:end_appointment", args=[case.public_id, made.public_id])
    signed_in(admin).post(end, {"state": "cancelled"})
    assert Appointment.objects.with_scopes_disabled().get().state == "cancelled"


def test_the_roster_is_kept_by_administrators_and_says_what_is_wrong(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    admin, cadre, reader = post(tree.zhongyuan), post(tree.zhongyuan, Role.CADRE), post(tree.zhongyuan, Role.READER)
    with pytest.raises(NotAllowed):
        save_helper(post=cadre, kind="lawyer", hours=HOURS, actor=cadre)
    with pytest.raises(NotAllowed):
        save_helper(post=cadre, kind="lawyer", hours=HOURS, actor=post(tree.jinshui))
    with pytest.raises(RuleBroken) as broken:
        save_helper(post=reader, kind="judge", hours="whenever", slot_minutes=1, actor=admin)
    assert {problem.field for problem in broken.value.problems} == {"kind", "post", "hours", "slot_minutes"}
    save_helper(post=cadre, kind="lawyer", hours=HOURS, actor=admin)
    with refused("taken"):
        save_helper(post=cadre, kind="lawyer", hours=HOURS, actor=admin)
    client = signed_in(admin)
    assert client.get(reverse("cases:new_helper")).status_code == 200
    posted = client.post(
        reverse("cases:new_helper"),
        {"post": str(admin.public_id), "kind": "mediator", "hours": HOURS, "slot_minutes": 30, "is_active": "on"},
    )
    assert posted.status_code == 302
    assert signed_in(cadre).get(reverse("cases:new_helper")).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_of_two_who_book_one_slot_at_once_one_gets_it(tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> None:
    admin = post(tree.zhongyuan)
    helper = on_roster(admin, station(tree.zhongyuan, admin))
    cases = [secret(tree, worker) for _ in range(3)]
    slot = slots_of(helper)[-1].starts_at
    won: list[int] = []
    gate = threading.Barrier(3)

    def run(case: Case) -> None:
        gate.wait(30)
        with contextlib.suppress(RuleBroken):
            won.append(book_appointment(case, helper=helper, starts_at=slot).pk)
        connection.close()

    threads = [threading.Thread(target=run, args=(case,)) for case in cases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(won) == 1
    assert Appointment.objects.with_scopes_disabled().count() == 1
