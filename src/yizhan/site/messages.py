"""The Chinese of the interface: find what is said in each room, compile the catalogues, and check that none is missing.

`python -m yizhan.site.messages update [ROOM …]` adds new English phrases to the room's catalogue;
`compile` writes the `.mo` files that Django reads; `check` fails, naming each phrase that has no Chinese
and each that two rooms say differently.
Phrases are found with Django's own template parser and Babel, so that no gettext tools need to be installed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

import typer
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

PACKAGE = Path(__file__).resolve().parents[1]
LOCALE = "zh_Hans"
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}

app = typer.Typer(help="Chinese phrases of the interface.", no_args_is_help=True, add_completion=False)


def rooms() -> list[Path]:
    """Folders of the rooms that say something to people."""
    return sorted(path.parent for path in PACKAGE.glob("*/apps.py"))


def catalogue_path(room: Path) -> Path:
    """Where the room's Chinese is kept."""
    return room / "locale" / LOCALE / "LC_MESSAGES" / "django.po"


def phrases(room: Path) -> Iterator[tuple[str, str | tuple[str, ...], str | None]]:
    """Every phrase in the room's code and templates: where (relative path), the phrase(s), the context."""
    for path in sorted([*room.rglob("*.py"), *room.rglob("*.html"), *room.rglob("*.txt")]):
        if "migrations" in path.parts:
            continue
        source = path.read_text(encoding="utf-8")
        if path.suffix != ".py":
            # Read as Python next, where indentation would have a meaning that templates do not give it.
            source = "\n".join(line.lstrip() for line in templatize(source, origin=str(path)).splitlines())
        try:
            for _line, phrase, _comments, context in extract("python", BytesIO(source.encode()), KEYWORDS):
                if phrase and phrase != ("", ""):
                    yield str(path.relative_to(PACKAGE)), phrase, context
        except SyntaxError as error:
            message = f"{path}: cannot be read for phrases: {error}"
            raise SystemExit(message) from error


def read_catalogue(room: Path) -> Catalog:
    """The room's Chinese as it is kept; empty for a room that has none yet."""
    path = catalogue_path(room)
    if not path.exists():
        return Catalog(locale=LOCALE, project="Yizhan", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=LOCALE)


def said(room: Path) -> Catalog:
    """The phrases that the room says now, without translations."""
    catalogue = Catalog(locale=LOCALE, project="Yizhan", fuzzy=False)
    for where, phrase, context in phrases(room):
        flags = ["python-format"] if "%(" in str(phrase) else []
        catalogue.add(phrase, locations=[(where, 0)], context=context, flags=flags)
    return catalogue


def missing(room: Path) -> list[str]:
    """Phrases of the room that have no Chinese, or an unsure one."""
    kept = read_catalogue(room)

    def has_chinese(message: Message) -> bool:
        found = kept.get(message.id if isinstance(message.id, str) else message.id[0], message.context)
        texts = (found.string if isinstance(found.string, (tuple, list)) else [found.string]) if found else []
        return bool(texts) and all(texts) and not (found and found.fuzzy)

    return [str(message.id) for message in said(room) if message.id and not has_chinese(message)]


def clashes(catalogues: Mapping[str, Catalog]) -> list[str]:
    """Phrases that two rooms put into different Chinese: a line for each, naming phrase, rooms and their words.

    Django merges all catalogues and shows everywhere the Chinese of whichever room is installed first.
    Where two rooms mean different things, one says a more precise phrase, or gives its phrase a context.
    """
    kept: dict[tuple[str | None, str], dict[str, str]] = {}
    for name, catalogue in catalogues.items():
        for message in catalogue:
            if message.id and message.string:
                phrase = message.id if isinstance(message.id, str) else " / ".join(message.id)
                chinese = message.string if isinstance(message.string, str) else " / ".join(message.string)
                kept.setdefault((message.context, phrase), {})[name] = chinese
    lines = []
    for (context, phrase), words in kept.items():
        if len(set(words.values())) > 1:
            where = f" (context {context!r})" if context else ""
            said_by = ", ".join(f"{name} “{chinese}”" for name, chinese in words.items())
            lines.append(f"{phrase!r}{where} is said differently, and only one shows: {said_by}")
    return lines


@app.command()
def update(names: list[str] = typer.Argument(None, metavar="[ROOM]…", help="Rooms; all when none is named.")) -> None:
    """Add new phrases to the catalogues and drop those that nobody says any more."""
    for room in rooms():
        if names and room.name not in names:
            continue
        catalogue = read_catalogue(room)
        catalogue.update(said(room), no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        path = catalogue_path(room)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, catalogue, sort_output=True, omit_header=False, include_lineno=False, width=110)
        typer.echo(f"{room.name}: {len(catalogue)} phrases, {len(missing(room))} without Chinese")


@app.command("compile")
def compile_catalogues() -> None:
    """Write the `.mo` files that are older than their catalogue."""
    for room in rooms():
        source = catalogue_path(room)
        target = source.with_suffix(".mo")
        if not source.exists() or (target.exists() and target.stat().st_mtime >= source.stat().st_mtime):
            continue
        unfinished = target.with_suffix(f".mo-{os.getpid()}")
        with unfinished.open("wb") as file:
            write_mo(file, read_catalogue(room))
        unfinished.replace(target)  # whoever starts meanwhile reads a whole catalogue, the old one or this


@app.command()
def check() -> None:
    """Fail when a phrase has no Chinese, or when two rooms put the same phrase into different Chinese."""
    found = {room.name: missing(room) for room in rooms()}
    for name, texts in found.items():
        for text in texts:
            typer.echo(f"{name}: no Chinese for {text!r}", err=True)
    differing = clashes({room.name: read_catalogue(room) for room in rooms()})
    for line in differing:
        typer.echo(line, err=True)
    if differing or any(found.values()):
        sys.exit(1)


if __name__ == "__main__":
    app()
