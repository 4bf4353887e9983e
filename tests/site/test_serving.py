"""`yizhan serve` as an operator meets it: one command, one port, everything stops with it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(var: Path, port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "DJANGO_SETTINGS_MODULE"}}
    return {
        **kept,
        "YIZHAN_VAR": str(var),
        "YIZHAN_INSECURE_HTTP": "1",
        "YIZHAN_BASE_URL": f"http://127.0.0.1:{port}",
    }


def yizhan(*words: str, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "yizhan.site.cli", *words]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)  # type: ignore[call-overload, no-any-return]


def wait_for(address: str, *, seconds: float = 240) -> httpx.Response:
    end = time.monotonic() + seconds
    while True:
        try:
            answer = httpx.get(address, timeout=5)
            if answer.status_code == 200:
                return answer
        except httpx.HTTPError:
            pass
        assert time.monotonic() < end, f"{address} did not answer in {seconds} s"
        time.sleep(0.3)


def processes_of(var: Path) -> list[psutil.Process]:
    """All processes of the installation: they name its folder, or descend from one that does."""
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter(["cmdline"]):
        if process.pid != os.getpid() and any(str(var) in part for part in process.info["cmdline"] or []):
            found[process.pid] = process
            with contextlib.suppress(psutil.NoSuchProcess):  # it ended while it was looked at
                found.update({child.pid: child for child in process.children(recursive=True)})
    return [process for process in found.values() if _lives(process)]


def _lives(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, subprocess.Popen[str]]]:
    var, port = tmp_path_factory.mktemp("installation"), free_port()
    process = yizhan("serve", "--workers", "1", env=environment(var, port))
    try:
        wait_for(f"http://127.0.0.1:{port}/readyz")
        yield var, f"http://127.0.0.1:{port}", process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert process.returncode == 0
    assert processes_of(var) == []


Served = tuple[Path, str, subprocess.Popen[str]]


def test_pages_and_hot_look_ups_answer_at_one_port(served: Served) -> None:
    _var, address, _process = served
    assert wait_for(f"{address}/").headers["Content-Type"].startswith("text/html")
    nearest = wait_for(f"{address}/api/places/nearest?lon=113.62&lat=34.75&datum=WGS-84")
    assert nearest.json()["places"] == []


def test_a_static_file_that_is_not_there_is_not_found(served: Served) -> None:
    _var, address, _process = served
    assert httpx.get(f"{address}/static/nothing.js").status_code == 404


def test_a_body_that_is_refused_unread_is_answered_with_the_reason(served: Served) -> None:
    _var, address, _process = served
    for path in ("/api/pings", "/api/places/along-route"):
        answers = {httpx.post(f"{address}{path}", content=b"x" * 30_000_000, timeout=30).status_code for _ in range(3)}
        assert max(answers) < 500, (path, answers)


def test_a_second_start_says_that_it_runs_already_and_changes_nothing(served: Served) -> None:
    var, address, process = served
    second = yizhan("serve", env=environment(var, int(address.rsplit(":", 1)[1])))
    output, _ = second.communicate(timeout=60)
    assert second.returncode == 1
    assert "already runs" in output
    assert process.poll() is None
    wait_for(f"{address}/readyz")


def test_a_killed_worker_is_replaced(served: Served) -> None:
    var, address, _process = served
    servers = [process for process in processes_of(var) if "--interface" in process.cmdline()]
    workers = [worker for server in servers for worker in server.children()]
    assert len(workers) == 2
    for worker in workers:
        worker.kill()
    wait_for(f"{address}/readyz")
    wait_for(f"{address}/api/places/nearest?lon=113.62&lat=34.75&datum=WGS-84")


def test_another_program_on_the_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        process = yizhan("serve", env=environment(tmp_path, port))
        output, _ = process.communicate(timeout=90)
    assert process.returncode == 1
    assert f"port {port}" in output
    assert processes_of(tmp_path) == []


def test_stop_ends_everything_also_when_the_starter_was_killed(tmp_path: Path) -> None:
    port = free_port()
    process = yizhan("serve", "--workers", "1", env=environment(tmp_path, port))
    wait_for(f"http://127.0.0.1:{port}/readyz")
    process.kill()
    process.wait()
    assert processes_of(tmp_path) != []
    output, _ = yizhan("stop", env=environment(tmp_path, port)).communicate(timeout=60)
    assert "Stopped." in output
    assert processes_of(tmp_path) == []
