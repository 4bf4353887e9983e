"""Pings by way of NATS JetStream: vehicles are dealt out to partitions, and each partition has one active worker.

Who that is, the server decides: a partition is a pull consumer with the policy `pinned_client`, and only the worker
that is pinned gets its messages. When it asks for nothing for `PIN_S`, the server pins another one. One message of a
partition is under way at a time, so that none is judged before one that came earlier, also after a worker died with it
in hand.

The stream lives in the memory of the servers: positions are never written to their disks either.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NoAnswer

from . import arrow, metrics
from .decoding import BatchRefused, read_batch
from .keys import Source
from .limits import TooFast
from .showing import told
from .stream import Stream
from .taking import NotNow, Reader, Taken

log = logging.getLogger("yizhan.passage.partitions")

STREAM, GROUP = "PINGS", "workers"
PINGS_SUBJECT = "pings.*.*"  # pings.SOURCE.LANE; by MQTT the topic pings/SOURCE/LANE
REMINDERS_SUBJECT = "reminders.{source}"
PARTITIONS = 12
PIN_S = 5  # whoever asks for nothing for so long is dead
PULL_S = 2  # how long the server holds a question open
HEAD_START_S = 3.0  # by which a worker asks for its own partitions before the others do
HELD_S = 600  # how long the servers hold pings that nobody took
REPEATED_S = 120  # within which the servers drop a message with an id that came before
MAX_MESSAGE_BYTES = 1024 * 1024
ANSWER_S = 5.0
RETRY_S = 0.2
_NANO = 10**9


class NatsRefused(Exception):
    """The servers answered that they cannot do what was asked."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the pings of all fleets are dealt out. The same for all workers of an installation.

    Attributes:
        partitions: how many; more than there will ever be workers.
        replicas: on how many servers each message is held.
        held_bytes: how much the servers hold at most; then the oldest pings give way.
    """

    partitions: int = PARTITIONS
    replicas: int = 1
    held_bytes: int = 256 * 1024 * 1024

    @property
    def dealt_out(self) -> str:
        """How the servers name what comes in: a lane, and so every vehicle in it, always falls to one partition."""
        return f"yizhan.{{{{partition({self.partitions},1,2)}}}}.{{{{wildcard(1)}}}}.{{{{wildcard(2)}}}}"


@dataclass(slots=True)
class Worker:
    """One of the workers that share the partitions.

    Args:
        stream: judges; started by whoever calls.
        servers: addresses of the servers, any of a cluster.
        number, workers: this worker is the `number`th (from 0) of so many. Only a hint which partitions to ask for
            first, so that they spread; the servers decide.
    """

    stream: Stream
    servers: Sequence[str]
    layout: Layout
    number: int = 0
    workers: int = 1
    held: set[int] = field(default_factory=set)
    _client: Client | None = None
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _read_at: float = float("-inf")

    async def start(self) -> None:
        """Connect, make the stream and its partitions where they are not there yet, and begin to ask.

        Raises:
            NatsRefused: the servers do not do what is needed; they must be of version 2.11 or later.
            OSError: none of them can be reached.
        """
        self._client = await nats.connect(
            list(self.servers), max_reconnect_attempts=-1, reconnect_time_wait=0.5, allow_reconnect=True
        )
        await self._prepare()
        for partition in range(self.layout.partitions):
            self._tasks.append(asyncio.create_task(self._serve(partition), name=f"partition-{partition}"))

    async def stop(self) -> None:
        """Ask for nothing more; what is in hand and not yet acknowledged, another worker gets."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.close()

    async def _prepare(self) -> None:
        stream = {
            "name": STREAM,
            "subjects": [PINGS_SUBJECT],
            "storage": "memory",
            "num_replicas": self.layout.replicas,
            "retention": "limits",
            "discard": "old",
            "max_age": HELD_S * _NANO,
            "max_bytes": self.layout.held_bytes,
            "max_msg_size": MAX_MESSAGE_BYTES,
            "duplicate_window": REPEATED_S * _NANO,
            "subject_transform": {"src": PINGS_SUBJECT, "dest": self.layout.dealt_out},
        }
        await self._made(f"STREAM.CREATE.{STREAM}", stream, there=f"STREAM.INFO.{STREAM}")
        for partition in range(self.layout.partitions):
            name = consumer_name(partition)
            consumer = {
                "name": name,
                "durable_name": name,
                "filter_subject": f"yizhan.{partition}.>",
                "deliver_policy": "all",
                "ack_policy": "explicit",
                "ack_wait": PIN_S * _NANO,
                "max_ack_pending": 1,
                "num_replicas": self.layout.replicas,
                "mem_storage": True,
                "priority_groups": [GROUP],
                "priority_policy": "pinned_client",
                "priority_timeout": PIN_S * _NANO,
            }
            body = {"stream_name": STREAM, "config": consumer, "action": ""}
            made = await self._made(f"CONSUMER.CREATE.{STREAM}.{name}", body)
            if made["config"].get("priority_policy") != "pinned_client":
                raise NatsRefused("the servers pin no clients: they must be of version 2.11 or later")

    async def _made(self, subject: str, body: dict[str, Any], *, there: str = "") -> dict[str, Any]:
        """What the servers made; a cluster that has not agreed on a leader yet is asked again."""
        for _ in range(60):
            answer = await self._asked(subject, body)
            error = answer.get("error")
            if error is None:
                return answer
            if there and error.get("code") == 400:  # another worker made it, perhaps with other limits
                found = await self._asked(there, {})
                transform = found.get("config", {}).get("subject_transform", {}).get("dest", "")
                if transform and transform != body["subject_transform"]["dest"]:
                    raise NatsRefused("the stream has another number of partitions: all workers need the same one")
                if transform:
                    return found
            if error.get("code") not in (400, 503):
                raise NatsRefused(f"{subject}: {error.get('description', error)}")
            await asyncio.sleep(0.5)
        raise NatsRefused(f"{subject}: the servers have no leader")

    async def _asked(self, subject: str, body: dict[str, Any]) -> dict[str, Any]:
        assert self._client is not None  # noqa: S101 - start() has connected
        try:
            answer = await self._client.request(f"$JS.API.{subject}", json.dumps(body).encode(), timeout=ANSWER_S)
        except (NoAnswer, NoRespondersError) as silence:
            return {"error": {"code": 503, "description": f"no answer: {type(silence).__name__}"}}
        found: dict[str, Any] = json.loads(answer.data)
        return found

    async def _serve(self, partition: int) -> None:
        """Ask for the messages of a partition, one after another, for as long as the worker runs."""
        if partition % self.workers != self.number:
            await asyncio.sleep(HEAD_START_S)
        while True:
            try:
                await self._ask_and_judge(partition)
            except asyncio.CancelledError:
                raise
            except Exception:
                # A server that fails under us, a message that nobody foresaw: the partition must go on.
                log.exception("a partition stumbled", extra={"partition": partition})
                await asyncio.sleep(RETRY_S)
            finally:
                self._hold(partition, pinned=False)

    async def _ask_and_judge(self, partition: int) -> None:
        assert self._client is not None  # noqa: S101 - start() has connected
        client, pin = self._client, ""
        judging: asyncio.Task[None] | None = None
        inbox = client.new_inbox()
        answers = await client.subscribe(inbox)
        try:
            while True:
                # Asked also while a message is being judged: who asks for nothing is taken for dead.
                question: dict[str, Any] = {"batch": 1, "expires": PULL_S * _NANO, "group": GROUP}
                if pin:
                    question["id"] = pin
                subject = f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{consumer_name(partition)}"
                await client.publish(subject, json.dumps(question).encode(), reply=inbox)
                try:
                    message = await answers.next_msg(timeout=PULL_S + 1.0)
                except NoAnswer:
                    continue  # the server that had the question is gone
                headers = message.headers or {}
                if not message.reply:  # a status, no ping
                    if headers.get("Status") == "423":  # another worker is pinned by now
                        pin = ""
                        self._hold(partition, pinned=False)
                    elif headers.get("Status") not in ("404", "408"):
                        await asyncio.sleep(RETRY_S)
                    continue
                if judging is not None:
                    await judging
                is_new = headers.get("Nats-Pin-Id", "") != pin
                pin = headers.get("Nats-Pin-Id", "")
                self._hold(partition, pinned=True)
                judging = asyncio.create_task(self._judge(message, take_over=is_new))
        finally:
            if judging is not None:
                await asyncio.gather(judging, return_exceptions=True)
            await answers.unsubscribe()

    async def _take_over(self) -> None:
        """Read what whoever had a partition before has left in the log; once for all that come at the same time."""
        since = time.monotonic()
        async with self._reading:
            if self._read_at < since:
                began = time.monotonic()
                await asyncio.to_thread(self.stream.read_log_again)
                self._read_at = began

    def _hold(self, partition: int, *, pinned: bool) -> None:
        (self.held.add if pinned else self.held.discard)(partition)
        metrics.PARTITIONS.set(len(self.held))

    async def _judge(self, message: Msg, *, take_over: bool) -> None:
        """Judge a message and acknowledge it; while that lasts, tell the server that it is in hand."""
        keeping = asyncio.create_task(self._keep_in_hand(message))
        try:
            if take_over:
                await self._take_over()
            await self._judge_and_acknowledge(message)
        except Exception:
            log.exception("a message was not judged; it will come again")
        finally:
            keeping.cancel()

    async def _keep_in_hand(self, message: Msg) -> None:
        while True:
            await asyncio.sleep(PIN_S / 3)
            await message.in_progress()

    async def _judge_and_acknowledge(self, message: Msg) -> None:
        assert self._client is not None  # noqa: S101 - start() has connected
        source = self._source(message)
        outcome = "taken"
        taken: Taken | None = None
        if source is None:
            outcome = "no_key"
        else:
            try:
                self.stream.admit(source)
                taken = await self._taken(message, source)
            except BatchRefused as refused:
                outcome = "refused"
                log.info("a message was refused", extra={"code": refused.code, "source": str(source.public_id)})
            except TooFast:
                outcome = "too_fast"
        metrics.BATCHES.labels(outcome).inc()
        if taken is None:
            await message.term()  # to bring it again would change nothing
            return
        if taken.reminded and source is not None:
            body = msgspec.json.encode({"reminders": [told(each) for each in taken.reminded]})
            await self._client.publish(REMINDERS_SUBJECT.format(source=source.public_id), body)
        await message.ack()

    async def _taken(self, message: Msg, source: Source) -> Taken:
        """Judge; while the log cannot be written, keep the message and try again."""
        read = _reader(message)
        while True:
            try:
                return await self.stream.take(source, message.data, read=read)
            except NotNow:
                await asyncio.sleep(RETRY_S)

    def _source(self, message: Msg) -> Source | None:
        # yizhan.PARTITION.SOURCE.LANE; that nobody publishes under another's name is held by the servers' permissions.
        parts = message.subject.split(".")
        return self.stream.keys.called(parts[2]) if len(parts) == 4 else None


def consumer_name(partition: int) -> str:
    """What a partition is called on the servers."""
    return f"partition-{partition}"


def _reader(message: Msg) -> Reader:
    headers = message.headers or {}
    if headers.get("Content-Type", "").partition(";")[0].strip().casefold() == arrow.MEDIA_TYPE:
        return partial(arrow.read_arrow, datum=headers.get("Datum"))
    return read_batch
