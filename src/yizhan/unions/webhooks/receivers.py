"""Posts a message to an address that somebody else chose, without being led to where it should not go."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any

import httpcore
from httpcore import AnyIOBackend

from .addresses import Reach

LONGEST_S = 15.0
MOST_READ = 16 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said: an HTTP status, or in words why there was none.

    Attributes:
        retry_after_s: If it asked for time.
        body: The beginning of what it said, at most `MOST_READ` bytes.
        ahead_s: By how much its clock is ahead of ours, as its `Date` says, in seconds; None: it does not say.
    """

    status: int | None
    words: str
    retry_after_s: float | None = None
    body: bytes = b""
    ahead_s: float | None = None

    @property
    def is_taken(self) -> bool:
        """Whether the message has arrived."""
        return self.status is not None and 200 <= self.status < 300


class NotPublic(Exception):
    """A name leads to this machine or its own network."""


class WithinReach(httpcore.AsyncNetworkBackend):
    """Connects to allowed addresses only. What was checked is what is connected to: no second look-up in between.

    Args:
        plain: connections for http without TLS, which go to addresses that the operator names, and to no other.
    """

    def __init__(self, reach: Reach, *, plain: bool = False, backend: httpcore.AsyncNetworkBackend | None = None):
        self._reach = reach
        self._plain = plain
        self._backend = backend or AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Look the name up, check every address that it has, and connect to the first that answers."""
        failed: Exception = httpcore.ConnectError("no address")
        for address in (await allowed_addresses(host, port, self._reach, plain=self._plain))[:4]:
            try:
                return await self._backend.connect_tcp(
                    address, port, timeout=timeout, local_address=local_address, socket_options=socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failure:
                failed = failure
        raise failed

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._backend.sleep(seconds)


async def allowed_addresses(host: str, port: int, reach: Reach, *, plain: bool = False) -> list[str]:
    """All addresses of a name, looked up once; whoever connects takes one of these and asks no second time.

    Raises:
        NotPublic: one of them is out of reach.
        httpcore.ConnectError: the name is not known.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as failure:
        raise httpcore.ConnectError("the name is not known") from failure
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not all(reach.allows(ip_address(address), plain=plain) for address in addresses):
        raise NotPublic
    return addresses


class Receivers:
    """A pool of connections to receivers. It follows no redirect and reads little of an answer."""

    def __init__(self, reach: Reach | None = None) -> None:
        reach = reach or Reach()
        self._pools = {
            plain: httpcore.AsyncConnectionPool(
                max_connections=100, keepalive_expiry=30, network_backend=WithinReach(reach, plain=plain)
            )
            for plain in (False, True)
        }

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Post, wait `LONGEST_S` at most, and say what came back; never raises for what a receiver does."""
        return await self._ask("POST", url, body, headers)

    async def get(self, url: str, headers: dict[str, str]) -> Answer:
        """Ask, in the same way."""
        return await self._ask("GET", url, None, headers)

    async def _ask(self, method: str, url: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        try:
            pool = self._pools[url[:5].lower() == "http:"]
            async with (
                asyncio.timeout(LONGEST_S),
                pool.stream(method, url, headers=list(headers.items()), content=body) as answer,
            ):
                read = bytearray()
                async for part in answer.aiter_stream():
                    read += part
                    if len(read) > MOST_READ:
                        break
                said = {name.lower(): value for name, value in answer.headers}
                return Answer(
                    answer.status,
                    f"HTTP {answer.status}",
                    _retry_after(said.get(b"retry-after", b"")),
                    bytes(read[:MOST_READ]),
                    _ahead(said.get(b"date", b"")),
                )
        except TimeoutError:
            return Answer(None, "no answer in time")
        except NotPublic:
            return Answer(None, "not a public address")
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as failure:
            return Answer(None, type(failure).__name__)
        except Exception as failure:  # noqa: BLE001 - an address that nobody can use must not end the others' delivery
            return Answer(None, type(failure).__name__)

    async def close(self) -> None:
        """Let the connections go."""
        for pool in self._pools.values():
            await pool.aclose()


def _retry_after(value: bytes) -> float | None:
    return float(value) if value.isdigit() and len(value) < 8 else None


def _ahead(value: bytes) -> float | None:
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return (parsedate_to_datetime(value.decode("ascii")) - datetime.now(UTC)).total_seconds()
    return None
