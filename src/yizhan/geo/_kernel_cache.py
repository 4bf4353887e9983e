"""Where compiled kernels are kept: in a folder named after the source of all kernels.

Numba looks only at a kernel's own file when it decides whether its compiled form still holds. A kernel that calls
one in another file would go on with the old one after an upgrade, without a word.
"""

from __future__ import annotations

import os
import shutil
from hashlib import sha256
from pathlib import Path

from numba import config

_PREFIX = "kernels-"


def digest_of_sources(folder: Path) -> str:
    """A short digest of every Python file below `folder`."""
    digest = sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def use_folder_of_these_sources() -> None:
    """Let Numba keep what it compiles apart by source, unless `NUMBA_CACHE_DIR` says where; drop what is outdated."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return
    package = Path(__file__).parent
    for home in (package / "__pycache__", Path.home() / ".cache" / "yizhan"):
        folder = home / f"{_PREFIX}{digest_of_sources(package)}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:  # an installation that only its owner may write
            continue
        if os.access(folder, os.W_OK):
            for outdated in home.glob(f"{_PREFIX}*"):
                if outdated != folder:
                    shutil.rmtree(outdated, ignore_errors=True)
            config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
            return
