"""What benchmarks that start a server of their own share."""

from __future__ import annotations

import subprocess
import time
from urllib.request import urlopen

PATIENCE_S = 120
GRACE_S = 20


def wait_until_ready(address: str) -> None:
    """Return once `address` answers 200; end the benchmark when it does not within two minutes."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            if urlopen(address, timeout=5).status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server does not come up")


def end(server: subprocess.Popen[bytes]) -> None:
    """Stop a server; one that does not stop by itself in time is killed, so that nothing outlives the benchmark."""
    server.terminate()
    try:
        server.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
