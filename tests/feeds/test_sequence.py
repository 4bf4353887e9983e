"""The change sequence: every public change gets a number, numbers appear in order, none is skipped."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.feeds.facts import read_facts
from yizhan.feeds.models import PlaceChange, PlaceTouch
from yizhan.feeds.queries.changes import changes_after, last_sequence
from yizhan.feeds.services.sequence import begin_anew, sequence_changes
from yizhan.places.models import Equipment, Offer, OfferKind, Place
from yizhan.places.services import close_place, withdraw_place
from yizhan.unions.models import Union


def changed() -> list[Place]:
    """The places that have changed since this was last asked, in order."""
    before = last_sequence()
    sequence_changes()
    return [change.place for change in changes_after(before, limit=100)]


def test_publishing_withdrawing_and_closing_get_a_number_each_time(
    tree: UnionTree, make_place: PlaceMaker, post: PostMaker
) -> None:
    place = make_place(tree.zhongyuan)
    assert changed() == [place]
    withdraw_place(place, actor=post(tree.zhongyuan), reason="装修")
    assert changed() == [place]
    close_place(place, actor=post(tree.zhongyuan))
    assert changed() == [place]
    assert PlaceChange.objects.count() == 1
    assert not PlaceTouch.objects.exists()


def test_a_draft_is_nobodys_business(tree: UnionTree, make_place: PlaceMaker) -> None:
    place = make_place(tree.zhongyuan, publish=False)
    Place.objects.with_scopes_disabled().filter(pk=place.pk).update(name="另一个名字")
    assert changed() == []


def test_whatever_hangs_at_a_place_changes_the_place(tree: UnionTree, make_place: PlaceMaker) -> None:
    place, other = make_place(tree.zhongyuan), make_place(tree.zhongyuan)
    assert changed() == [place, other]
    kind = OfferKind.objects.first()
    offer = Offer.objects.with_scopes_disabled().create(place=place, kind=kind)
    assert changed() == [place]
    equipment = Equipment.objects.with_scopes_disabled().create(place=place, name="微波炉")
    assert changed() == [place]
    Equipment.objects.with_scopes_disabled().filter(pk=equipment.pk).update(place=other)
    assert set(changed()) == {place, other}
    OfferKind.objects.filter(pk=offer.kind_id).update(name_zh="新词")
    assert changed() == [place]
    offer.delete()
    assert changed() == [place]


def test_a_union_that_is_renamed_or_moved_changes_its_places(tree: UnionTree, make_place: PlaceMaker) -> None:
    place = make_place(tree.shifo)
    make_place(tree.jinshui)
    changed()
    Union.objects.filter(pk=tree.shifo.pk).update(name="石佛镇工会")
    assert changed() == [place]
    Union.objects.move(tree.zhongyuan, tree.henan, pos="last-child")
    assert changed() == [place]


def test_daily_rounds_and_saves_that_change_nothing_get_no_number(tree: UnionTree, make_place: PlaceMaker) -> None:
    place = make_place(tree.zhongyuan)
    changed()
    Place.objects.with_scopes_disabled().filter(pk=place.pk).update(name=place.name, stale_told_at=place.created_at)
    assert changed() == []


def test_after_a_restored_backup_everything_gets_a_number_beyond_all_that_readers_hold(
    tree: UnionTree, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan)
    changed()
    held = last_sequence() + 5_000  # by a reader of the installation that was lost
    assert begin_anew(beyond=held) == 1
    sequence_changes()
    assert [change.place for change in changes_after(held, limit=10)] == [place]


@contextmanager
def other_connection() -> Iterator[None]:
    """A thread's own connection, closed at its end."""
    try:
        yield
    finally:
        connection.close()


def in_thread(work: object) -> threading.Thread:
    """Run in a thread that has a connection of its own."""

    def run() -> None:
        with other_connection():
            work()  # type: ignore[operator]

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
def test_a_change_that_commits_late_is_seen_by_who_has_read_beyond_its_beginning(
    tree: UnionTree, make_place: PlaceMaker
) -> None:
    slow, quick = make_place(tree.zhongyuan), make_place(tree.zhongyuan)
    changed()
    has_written, may_commit = threading.Event(), threading.Event()

    @transaction.atomic
    def write_slowly() -> None:
        Place.objects.with_scopes_disabled().filter(pk=slow.pk).update(name="慢")
        has_written.set()
        may_commit.wait(20)

    thread = in_thread(write_slowly)
    assert has_written.wait(20)
    Place.objects.with_scopes_disabled().filter(pk=quick.pk).update(name="快")
    assert changed() == [quick]  # and the long transaction does not keep it waiting
    cursor = last_sequence()
    may_commit.set()
    thread.join(20)
    sequence_changes()
    assert [read_facts(change.facts).name for change in changes_after(cursor, limit=10)] == ["慢"]


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_leaves_no_trace(tree: UnionTree, make_place: PlaceMaker) -> None:
    place = make_place(tree.zhongyuan)
    changed()
    with transaction.atomic():
        Place.objects.with_scopes_disabled().filter(pk=place.pk).update(name="不算")
        transaction.set_rollback(True)
    assert changed() == []


@pytest.mark.django_db(transaction=True)
def test_a_reader_beside_many_writers_and_two_sequencers_ends_with_what_is_stored(
    tree: UnionTree, make_place: PlaceMaker
) -> None:
    """Writers hold their transactions for random times and roll some back; the reader follows by number alone."""
    places = [make_place(tree.zhongyuan) for _each in range(12)]
    stop = threading.Event()
    known: dict[int, str] = {}
    seen: list[int] = []

    def write(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311
        for step in range(25):
            with transaction.atomic():
                for place in sorted(chance.sample(places, chance.randint(1, 3)), key=lambda one: one.pk):
                    Place.objects.with_scopes_disabled().filter(pk=place.pk).update(name=f"{seed}-{step}")
                stop.wait(chance.random() * 0.01)
                transaction.set_rollback(chance.random() < 0.2)

    def sequence() -> None:
        while not stop.wait(0.002):
            sequence_changes()

    def follow() -> None:
        cursor = seen[-1] if seen else 0
        for change in changes_after(cursor, limit=5):
            seen.append(change.sequence)
            known[change.place_id] = read_facts(change.facts).name

    writers = [in_thread(lambda seed=seed: write(seed)) for seed in range(4)]
    sequencers = [in_thread(sequence) for _each in range(2)]
    while any(thread.is_alive() for thread in writers):
        follow()
    stop.set()
    for thread in sequencers:
        thread.join(30)
    sequence_changes()
    while (seen[-1] if seen else 0) < last_sequence():
        follow()
    stored = dict(Place.objects.with_scopes_disabled().values_list("pk", "name"))
    assert known == stored
    assert seen == sorted(set(seen))
