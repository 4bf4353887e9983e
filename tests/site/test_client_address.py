"""Whose address throttling and the audit trail go by: what the real front door says, whatever a client claims."""

from __future__ import annotations

import json
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest

from yizhan.site.serving.front import FrontDoor
from yizhan.site.serving.processes import caddy


class _Echo(BaseHTTPRequestHandler):
    """Answers with the headers that reached it."""

    def do_GET(self) -> None:
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


class _Django(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def get_request(self) -> tuple[Any, Any]:
        connection, _nobody = super().get_request()
        return connection, ("", 0)


@pytest.fixture
def seen_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Ask through a front door and hear which client address arrives behind it."""
    folder = Path("/tmp") / f"yizhan-{time.monotonic_ns()}"  # noqa: S108 - a socket's path must be short
    folder.mkdir()
    behind = _Django(str(folder / "d.sock"), _Echo)
    threading.Thread(target=behind.serve_forever, daemon=True).start()
    doors: list[subprocess.Popen[bytes]] = []

    def ask(headers: dict[str, str], *, behind_proxy: bool) -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        door = FrontDoor(
            host="127.0.0.1",
            port=port,
            names=("127.0.0.1",),
            tls=False,
            django_socket=folder / "d.sock",
            hot_socket=folder / "h.sock",
            static_root=folder,
            media_root=folder,
            state_folder=folder / "caddy",
            behind_proxy=behind_proxy,
        )
        door.write(folder / "caddy.json")
        doors.append(subprocess.Popen([caddy(), "run", "--config", folder / "caddy.json"], stderr=subprocess.DEVNULL))
        for _attempt in range(100):
            try:
                return str(httpx.get(f"http://127.0.0.1:{port}/", headers=headers).json()["x-client-address"])
            except httpx.ConnectError:
                time.sleep(0.1)
        pytest.fail("the front door did not open")

    yield ask
    for process in doors:
        process.terminate()
        process.wait(timeout=20)
    behind.shutdown()
    behind.server_close()


CLAIM = {"X-Forwarded-For": "6.6.6.6, 1.2.3.4", "X-Client-Address": "9.9.9.9"}


def test_what_a_client_claims_is_not_believed(seen_address: Callable[..., str]) -> None:
    assert seen_address(CLAIM, behind_proxy=False) == "127.0.0.1"


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_added(seen_address: Callable[..., str]) -> None:
    assert seen_address(CLAIM, behind_proxy=True) == "1.2.3.4"
