"""The stream itself: a batch of pings in, an answer, events and log entries out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
from django.db import DatabaseError, connection

from yizhan.geo.passage import PassageKernel, Reminders
from yizhan.passage.models import LIMITS
from yizhan.passage.pseudonyms import pseudonym_key
from yizhan.passage.queries.phones import vehicles_with_phones
from yizhan.passage.queries.rules import RulesTree
from yizhan.passage.services.announcements import REMINDED, announce
from yizhan.passage.services.counts import record_counts
from yizhan.passage.services.log import Passed, recorded, recorded_after, remembered
from yizhan.places.snapshot import load_snapshot
from yizhan.unions.identity import new_public_id

from . import metrics
from .around import Answer, Around, Tile
from .batches import REPEATED_WITHIN_S, Answers, Digests, Judged, Reminding, by_batch
from .decoding import AHEAD_MS, LATE_MS, Batch, read_batch
from .delivery import Deliverer
from .keeper import Keeper
from .keys import KeyRing, Source
from .limits import Limits
from .live import LONGEST_STREAM_S, MOST_REPLAYED, Hub, Subscriber, reminder_event
from .names import Names
from .pushes import Pusher
from .showing import Reminded, shown, told
from .simulated import SimulatedTraffic
from .taking import NotNow, Numbers, Reader, Taken, key_reused, milliseconds, of_the_log, warm_up
from .tallies import Tallies
from .wishes import Wishes, services_with_bits
from .world import PlaceSeen, World, build_world
from .writer import Writer

log = logging.getLogger("yizhan.passage.stream")

MOST_BATCHES_WAITING = 64
LONGEST_COMMIT_S = 20.0  # then the sender is told to come again; the reminders still wait to be written
LONGEST_PATH_S = LIMITS["max_segment_gap_s"][1]
REPEATED_WITHIN = timedelta(seconds=REPEATED_WITHIN_S)
MOST_NAMES = 1_000_000
LONGEST_WRITE = timedelta(minutes=1)  # from the moment that a row bears to its being seen by others
SHOW_EVERY_S = 0.5
COUNTS_EVERY_S = 60.0
OTHERS_WITHIN = timedelta(minutes=1)  # what other processes wrote longer ago is no news


class Stream:
    """One stream a process. Pings are judged in one thread of their own, which never waits for the database.

    The reminder log is the state. A reminder goes out, to the sender and to whoever watches, only once it is in the
    log; a batch without reminders is answered at once. A batch that is repeated gets the same reminders again and is
    not judged again: within this process from memory, by one that started since from the log. So a kill at any moment
    loses no reminder and sends none twice, as long as the sender repeats a batch that was not answered.
    """

    def __init__(
        self, *, writer: Writer | None = None, clock: Callable[[], float] = time.time, announces: bool = False
    ) -> None:
        """A stream that is not started yet.

        Args:
            announces: whether other processes show what this one writes: a worker has no watchers of its own.
        """
        self.hub = Hub()
        self._announces = announces
        self._shown_until = UUID(int=0)
        self.keys = KeyRing({})
        self.writer = writer or Writer()
        self._clock = clock
        self._kernel: PassageKernel | None = None
        self._world = World.empty()
        self._around = Around(self._world)
        self._places: dict[int, PlaceSeen] = {}
        self._pseudonym_key = pseudonym_key()
        self._wishes = Wishes.none()
        self._with_phones: frozenset[int] = frozenset()
        self._numbers: dict[int, Numbers] = {}
        self.limits = Limits()
        self.deliverer = Deliverer(clock=clock)
        self.pusher = Pusher(clock=clock)
        self._digests = Digests(self._pseudonym_key)
        self._answers = Answers()
        self._log_read_at = self._now()
        self._logged: dict[UUID, list[tuple[Passed, PlaceSeen]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self.simulated = SimulatedTraffic()
        self.tallies = Tallies()
        self._counted_at = 0.0
        self.tokens_made_after = 0.0
        self._keeper = Keeper(
            read_world=self.read_world,
            read_keys=self.read_keys,
            read_wishes=self.read_wishes,
            reminded=self.show_others,
            tree_changed=self.tree_changed,
            every_hour=self._forget,
        )
        self._judge = ThreadPoolExecutor(1, thread_name_prefix="passage-judge")
        self._in_flight = 0
        self._ticker: asyncio.Task[None] | None = None

    @property
    def is_ready(self) -> bool:
        """Whether places, keys and memory have been read."""
        return self._kernel is not None

    async def start(self) -> None:
        """Begin to read, write and show; returns before everything is read."""
        self.writer.start()
        self._keeper.start()
        if not self._announces:  # one process sends, however many judge
            self.deliverer.start()
            self.pusher.start()
        self._loop = asyncio.get_running_loop()
        self._ticker = asyncio.create_task(self._show_now_and_then())

    async def stop(self) -> None:
        """Write what is waiting, and end."""
        if self._ticker:
            self._ticker.cancel()
        await asyncio.to_thread(self._keeper.stop)
        await asyncio.to_thread(self._judge.shutdown)
        await asyncio.to_thread(self.writer.stop)
        await asyncio.to_thread(self.deliverer.stop)
        await asyncio.to_thread(self.pusher.stop)

    def admit(self, source: Source) -> None:
        """Let a batch of the source in, before its body is read.

        Raises:
            TooFast: the source has sent more than it may.
        """
        self.limits.admit(source.number, source.pings_per_second)

    async def take(self, source: Source, body: bytes, *, read: Reader = read_batch, key: str = "") -> Taken:
        """Judge a batch as the source sent it, and wait until its reminders are in the log.

        Args:
            read: how the body is to be read.
            key: by which the sender knows the batch again; without one, the body itself is the key.

        Raises:
            BatchRefused: it cannot be read.
            NotNow: the stream is starting, has too much to do, or cannot write the log.
        """
        if self._kernel is None:
            raise NotNow("starting", "places are still being read: repeat the batch in a second")
        if self._in_flight >= MOST_BATCHES_WAITING or self.writer.is_full:
            raise NotNow("busy", "too many batches are waiting: repeat this one in a second")
        self._loop = asyncio.get_running_loop()
        self._in_flight += 1
        try:
            judged = await self._loop.run_in_executor(self._judge, self.judge, source, body, read, key)
        finally:
            self._in_flight -= 1
        try:
            written = await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(judged.written)), LONGEST_COMMIT_S)
        except Exception as failure:
            raise NotNow("log", "the reminder log cannot be written: repeat the same batch soon") from failure
        self.limits.charge(source.number, source.pings_per_second, judged.accepted + judged.rejected_count)
        return Taken(judged.accepted, judged.rejected, judged.rejected_count, self._reminded(judged.reminding, written))

    def judge(self, source: Source, body: bytes, read: Reader = read_batch, key: str = "") -> Judged:
        """The work on one batch; one thread at a time."""
        if self._kernel is None:
            raise NotNow("starting", "places are still being read: repeat the batch in a second")
        content = self._digests.of(source.number, body)
        batch_key = UUID(bytes=self._digests.of(source.number, b"key " + key.encode()) if key else content)
        if judged := self._answers.get(batch_key):
            if judged.content != content:
                raise key_reused()
            metrics.REPEATED.inc()
            return judged
        batch = read(body, now_ms=round(self._clock() * 1000))
        if logged := self._logged.get(batch_key):
            judged = self._as_logged(source, batch, logged, content)
            metrics.REPEATED.inc()
        else:
            judged = self._judge_batch(self._kernel, source, batch, content, batch_key)
        self._answers.keep(batch_key, judged)
        return judged

    def _judge_batch(self, kernel: PassageKernel, source: Source, batch: Batch, content: bytes, key: UUID) -> Judged:
        places = self._places
        pings, names = replace(batch.pings, vehicle=self._vehicles(source, batch.names)), batch.names
        asked = None
        if len(wishes := self._wishes):
            silent, asked = wishes.of(pings.vehicle)
            if silent.any():  # who wants to hear nothing is not even judged
                rows = np.flatnonzero(~silent)
                pings, names, asked = pings[rows], names.of(rows), asked[rows]
        reminders = kernel.feed(
            pings.vehicle,
            pings.time_ms,
            pings.longitude,
            pings.latitude,
            pings.accuracy_m,
            asked=asked,
            latest_ms=round(self._clock() * 1000) + AHEAD_MS,
        )
        reminding = self._reminding(reminders, source, names, places, key)
        written = self.writer.put([each.passed for each in reminding])
        if reminding:
            written.add_done_callback(lambda done: self._went_out(reminding, done))
        if source.counts_kept:
            self.tallies.add(source.number, pings, now_ms=round(self._clock() * 1000))
        if source.is_simulated:
            self.simulated.update(source.union_path, pings, reminders=len(reminding), now=self._clock())
        accepted = len(batch.pings)
        metrics.PINGS.labels("accepted").inc(accepted)
        metrics.PINGS.labels("rejected").inc(batch.rejected_count)
        metrics.VEHICLES.set(kernel.vehicles)
        return Judged(content, accepted, batch.rejected, batch.rejected_count, reminding, written)

    def _as_logged(
        self, source: Source, batch: Batch, logged: list[tuple[Passed, PlaceSeen]], content: bytes
    ) -> Judged:
        """What the log says of a batch that was judged before this process began."""
        numbers = self._vehicles(source, batch.names)
        row_of = dict(zip(numbers.tolist(), range(len(numbers)), strict=True))
        if any(passed.vehicle not in row_of for passed, _place in logged):
            raise key_reused()
        reminding = [Reminding(passed, place, batch.names[row_of[passed.vehicle]]) for passed, place in logged]
        written: Future[set[UUID]] = Future()
        written.set_result({each.passed.public_id for each in reminding})
        return Judged(content, len(batch.pings), batch.rejected, batch.rejected_count, reminding, written)

    def _went_out(self, reminding: list[Reminding], written: Future[set[UUID]]) -> None:
        """Show what is in the log now. Called by whoever wrote it, whether or not the sender still waits."""
        if written.exception() is not None or self._loop is None:
            return
        reminded = self._reminded(reminding, written.result())
        metrics.REMINDERS.inc(len(reminded))
        self.deliverer.wake()
        self.pusher.wake()
        if self._announces and reminded:
            announce(REMINDED)
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._show, reminded)

    def _show(self, reminded: list[Reminded]) -> None:
        for each in reminded:
            self.hub.publish_reminder(str(each.passed.public_id), each.place.union_path, shown(each))

    def around(self, tile: Tile) -> Answer:
        """The stations of a part of the country, for phones that judge by themselves.

        Raises:
            NotNow: places are still being read.
        """
        if self._kernel is None:
            raise NotNow("starting", "places are still being read: ask again in a second")
        return self._around.tile(tile)

    def read_keys(self) -> None:
        """Read who may send."""
        self.keys = KeyRing.load()

    def read_wishes(self) -> None:
        """Read what drivers want to hear, and whose phones want to be told."""
        self._wishes = Wishes.load()
        self._with_phones = vehicles_with_phones()

    def read_world(self) -> None:
        """Read places and rules, and swap them in while the stream runs; at first also what to remember."""
        world = build_world(load_snapshot(), RulesTree.load(), services_with_bits())
        if self._kernel is None:
            kernel = PassageKernel(world.stations)
            self._log_read_at = self._now()
            kernel.remember(self._log_since_it_matters(world))
            self._logged = by_batch(map(of_the_log, recorded(since=self._now() - REPEATED_WITHIN)))
            warm_up(world)
            self._take_over(world)
            self._kernel = kernel
            log.info(
                "the stream is ready",
                extra={
                    "stations": len(world.stations),
                    "remembered": len(kernel.remembered()),
                    "sources": len(self.keys),
                },
            )
            return
        # A batch that is under way may meet stations of either world: it finds the places of both.
        self._places = self._places | world.places
        self._kernel.replace_stations(world.stations)
        self._take_over(world)

    def read_log_again(self) -> None:
        """Take over what others have written since this was last called: reminders, and which batches are done."""
        if self._kernel is None:
            return
        began = self._now()
        rows = list(map(of_the_log, recorded(since=self._log_read_at - LONGEST_WRITE)))
        self._kernel.remember(
            Reminders.of(
                np.array([passed.vehicle for passed, _ in rows], np.int64),
                np.array([passed.place for passed, _ in rows], np.int64),
                np.array([milliseconds(passed.passed_at) for passed, _ in rows], np.int64),
            )
        )
        self._logged = self._logged | by_batch(rows)
        self._log_read_at = began
        connection.close()  # of a thread that may never come back

    def tree_changed(self) -> None:
        """Unions stand elsewhere in the tree: whoever watches must prove their right anew."""
        self.tokens_made_after = self._clock()
        self.hub.end_all()

    def show_others(self) -> None:
        """Show what another process has written to the log; each reminder once, own ones not again."""
        if self._loop is None or self._announces:
            return
        self.deliverer.wake()
        self.pusher.wake()
        rows = recorded_after(self._shown_until, most=MOST_REPLAYED, since=self._now() - OTHERS_WITHIN)
        if rows:
            self._shown_until = rows[-1].public_id
        reminded = [
            Reminded(passed, place, "", self._open_until(passed))
            for passed, place in map(of_the_log, rows)
            if not self.hub.holds(str(passed.public_id))
        ]
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._show, reminded)

    async def watch_on(self, union_path: str, *, last_event_id: str) -> Subscriber:
        """As `watch`, for one who comes back, perhaps after this process was started anew: the log knows the rest.

        Raises:
            TooManySubscribers: this process serves enough of them.
        """
        self._loop = asyncio.get_running_loop()
        try:
            last = UUID(last_event_id)
        except ValueError:
            return self.watch(union_path)
        if self.hub.remembers(str(last)):
            return self.watch(union_path, last_event_id=str(last))
        missed = await asyncio.to_thread(self._missed, last, union_path)
        # What was written since then is in memory by now.
        newest = str(missed[-1].passed.public_id) if missed else str(last)
        subscriber = self.watch(union_path, last_event_id=newest)
        for each in reversed(missed):
            subscriber.waiting.appendleft(reminder_event(str(each.passed.public_id), shown(each)))
        return subscriber

    def _missed(self, last: UUID, union_path: str) -> list[Reminded]:
        since = self._now() - timedelta(seconds=LONGEST_STREAM_S)
        rows = recorded_after(last, union_path=union_path, most=MOST_REPLAYED, since=since)
        connection.close()  # of a thread that may never come back
        return [Reminded(passed, place, "", self._open_until(passed)) for passed, place in map(of_the_log, rows)]

    def watch(self, union_path: str, *, last_event_id: str = "") -> Subscriber:
        """Open a live stream for a union's watcher; it begins with what is simulated now and what they missed.

        Raises:
            TooManySubscribers: this process serves enough of them.
        """
        subscriber = self.hub.open(union_path, last_event_id=last_event_id)
        for first in reversed(self.simulated.first(union_path)):
            subscriber.waiting.appendleft(first)
        subscriber.arrived.set()
        return subscriber

    def _take_over(self, world: World) -> None:
        self._world, self._places = world, world.places
        self._around = Around(world)
        metrics.STATIONS.set(len(world.stations))

    def _log_since_it_matters(self, world: World) -> Reminders:
        since = self._now() - timedelta(seconds=world.longest_memory_s + LONGEST_PATH_S, milliseconds=LATE_MS)
        rows = list(remembered(since=since))
        return Reminders.of(
            np.array([row[0] for row in rows], np.int64),
            np.array([row[1] for row in rows], np.int64),
            np.array([milliseconds(row[2]) for row in rows], np.int64),
            np.array([row[3] for row in rows], np.float64),
        )

    def _vehicles(self, source: Source, names: Names) -> np.ndarray[Any, np.dtype[np.int64]]:
        if sum(map(len, self._numbers.values())) > MOST_NAMES:
            self._numbers.clear()
        known = self._numbers.get(source.number)
        if known is None:
            known = self._numbers[source.number] = Numbers(self._pseudonym_key, source.number)
        vehicles = np.fromiter(map(known.__getitem__, names.distinct), np.int64, len(names.distinct))
        return names.spread(vehicles)

    def _reminding(
        self, reminders: Reminders, source: Source, names: Names, places: dict[int, PlaceSeen], batch: UUID
    ) -> list[Reminding]:
        reminding = []
        for vehicle, station, time_ms, distance_m, ping in zip(
            reminders.vehicle.tolist(),
            reminders.station.tolist(),
            reminders.time_ms.tolist(),
            reminders.distance_m.tolist(),
            reminders.ping.tolist(),
            strict=True,
        ):
            place = places.get(station) or self._places.get(station)
            if place is None:
                continue  # withdrawn while the batch was judged
            passed = Passed(
                public_id=new_public_id(),
                vehicle=vehicle,
                place=place.number,
                union=place.union,
                source=source.number,
                passed_at=datetime.fromtimestamp(time_ms / 1000, UTC),
                distance_m=distance_m,
                is_simulated=source.is_simulated,
                batch=batch,
                has_phones=vehicle in self._with_phones,
            )
            if source.has_webhook:
                passed = replace(passed, message=self._message(passed, place, names[ping]))
            reminding.append(Reminding(passed, place, names[ping]))
        return reminding

    def _reminded(self, reminding: list[Reminding], written: set[UUID]) -> list[Reminded]:
        return [
            Reminded(each.passed, each.place, each.name, self._open_until(each.passed))
            for each in reminding
            if each.passed.public_id in written
        ]

    def _open_until(self, passed: Passed) -> datetime | None:
        return self._world.open_until(passed.place, milliseconds(passed.passed_at) // 1000)

    def _message(self, passed: Passed, place: PlaceSeen, name: str) -> str:
        return msgspec.json.encode(told(Reminded(passed, place, name, self._open_until(passed)))).decode()

    def _forget(self) -> None:
        if self._kernel is not None:
            now_ms = round(self._clock() * 1000)
            if self._announces:  # what others did is added at each take-over; here the old goes
                self._logged = by_batch(map(of_the_log, recorded(since=self._now() - REPEATED_WITHIN)))
            self._kernel.forget_before(now_ms - LATE_MS - round(self._world.longest_memory_s * 1000))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def write_counts(self) -> None:
        """Write the counts of hours that have ended; without the database they are lost, with a word."""
        counted = self.tallies.finished(round(self._clock() * 1000))
        try:
            record_counts(counted)
        except DatabaseError as failure:
            log.warning("counts were lost", extra={"error": type(failure).__name__, "rows": len(counted)})
        connection.close()  # of a thread that may never come back

    async def _show_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(SHOW_EVERY_S)
            if time.monotonic() - self._counted_at > COUNTS_EVERY_S:
                self._counted_at = time.monotonic()
                await asyncio.to_thread(self.write_counts)
            for path, events in self.simulated.changes(self._clock()):
                self.hub.publish_simulation(path, events)
