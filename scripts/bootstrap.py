"""Print the path of uv, fetching it first where the machine has none.

Needs only a bare Python: Debian's has neither pip nor venv. The wheel's address and hash come from `uv.lock`,
which lists uv among the development tools, so that what is fetched is what was locked.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / "var" / "tools"


def main() -> int:
    if sys.version_info < (3, 11):
        print(f"Yizhan needs Python 3.11 or newer; {sys.executable} is {platform.python_version()}", file=sys.stderr)
        return 1
    if found := shutil.which("uv"):
        print(found)
        return 0
    target = TOOLS / "bin" / "uv"
    if not target.exists():
        print("fetching uv …", file=sys.stderr)
        try:
            fetch_from_lock(target)
        except (urllib.error.URLError, LookupError) as problem:
            print(f"not from the lock file ({problem}); asking pip", file=sys.stderr)
            fetch_with_pip(target)
    print(target)
    return 0


def fetch_from_lock(target: Path) -> None:
    """Download the wheel that `uv.lock` names for this machine, check its hash and unpack the program."""
    import tomllib

    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    package = next((found for found in lock["package"] if found["name"] == "uv"), None)
    wheels = package["wheels"] if package else []
    wheel = next((found for found in wheels if fits(found["url"].rsplit("/", 1)[-1])), None)
    if wheel is None:
        raise LookupError(f"no wheel of uv for {sys.platform} {platform.machine()}")
    with urllib.request.urlopen(wheel["url"], timeout=120) as answer:
        content = answer.read()
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != wheel["hash"]:
        raise LookupError("the downloaded wheel of uv is not the one that was locked")
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "uv.whl"
        archive.write_bytes(content)
        with zipfile.ZipFile(archive) as files:
            name = next(name for name in files.namelist() if name.endswith("/scripts/uv"))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(files.read(name))
    target.chmod(0o755)


def fits(name: str) -> bool:
    """Whether a wheel of this name runs on this machine."""
    machine = {"AMD64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    if sys.platform == "darwin":
        return "macosx" in name and name.endswith("arm64.whl" if machine == "aarch64" else "x86_64.whl")
    libc = "manylinux" if platform.libc_ver()[0] == "glibc" else "musllinux"
    return sys.platform == "linux" and libc in name and f"_{machine}" in name


def fetch_with_pip(target: Path) -> None:
    """For machines that reach packages only through pip's own settings (a mirror, say)."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(TOOLS), "uv"]
    subprocess.run(command, check=True, stdout=sys.stderr)
    if not target.exists():
        raise SystemExit("pip brought no uv; install uv by hand and try again")


if __name__ == "__main__":
    raise SystemExit(main())
