"""Numbers changes as they are announced, in a thread of its own."""

from __future__ import annotations

import logging
import threading

from django.db import DatabaseError, connection

from .services.sequence import TOUCHED_CHANNEL, sequence_changes

log = logging.getLogger("yizhan.feeds.sequencer")

LISTEN_S = 0.5  # how long one look for announcements lasts, and so how long it takes to stop
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0


class Sequencer:
    """Listens for changes and gives them numbers at once; while the database cannot be reached, it tries again."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to listen."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="feeds-sequencer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(10)

    def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stopping.is_set():
            try:
                self._listen()
                pause_s = FIRST_PAUSE_S
            except DatabaseError as failure:
                log.warning("changes cannot be numbered", extra={"error": type(failure).__name__})
            except Exception:  # whatever is wrong with one change must not end all later ones
                log.exception("changes cannot be numbered")
            connection.close()
            self._stopping.wait(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    def _listen(self) -> None:
        connection.ensure_connection()
        raw = connection.connection
        raw.execute(f"LISTEN {TOUCHED_CHANNEL}")
        sequence_changes()
        while not self._stopping.is_set():
            if list(raw.notifies(timeout=LISTEN_S, stop_after=1)):
                sequence_changes()
