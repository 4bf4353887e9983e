"""Posts a message to an address that somebody else chose, without being led to where it should not go."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import httpcore
from httpcore import AnyIOBackend

from yizhan.passage.addresses import is_public

LONGEST_S = 15.0
MOST_READ = 16 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said: an HTTP status, or in words why there was none. `retry_after_s` if it asked for time."""

    status: int | None
    words: str
    retry_after_s: float | None = None

    @property
    def is_taken(self) -> bool:
        """Whether the message has arrived."""
        return self.status is not None and 200 <= self.status < 300


class NotPublic(Exception):
    """A name leads to this machine or its own network."""


class PublicOnly(httpcore.AsyncNetworkBackend):
    """Connects to public addresses only. What was checked is what is connected to: no second look-up in between."""

    def __init__(self) -> None:
        self._backend = AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Look the name up, check every address that it has, and connect to the first that answers."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as failure:
            raise httpcore.ConnectError("the name is not known") from failure
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        if not all(is_public(ip_address(address)) for address in addresses):
            raise NotPublic
        failed: Exception = httpcore.ConnectError("no address")
        for address in addresses[:4]:
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


class Receivers:
    """A pool of connections to receivers. It follows no redirect and reads little of an answer.

    Args:
        private_too: also connect to private addresses: receivers within the operator's own network.
    """

    def __init__(self, *, private_too: bool = False) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            max_connections=100,
            keepalive_expiry=30,
            network_backend=AnyIOBackend() if private_too else PublicOnly(),
        )

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Post, wait `LONGEST_S` at most, and say what came back; never raises for what a receiver does."""
        try:
            async with (
                asyncio.timeout(LONGEST_S),
                self._pool.stream("POST", url, headers=list(headers.items()), content=body) as answer,
            ):
                read = 0
                async for part in answer.aiter_stream():
                    read += len(part)
                    if read > MOST_READ:
                        break
                return Answer(answer.status, f"HTTP {answer.status}", _retry_after(answer.headers))
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
        await self._pool.aclose()


def _retry_after(headers: list[tuple[bytes, bytes]]) -> float | None:
    for name, value in headers:
        if name.lower() == b"retry-after" and value.isdigit() and len(value) < 8:
            return float(value)
    return None
