"""The repository checks itself: rules of the house that no other tool holds."""

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [path for path in (ROOT / "src").rglob("*.py") if "migrations" not in path.parts]
TEMPLATES = list((ROOT / "src").rglob("*.html"))


def test_no_file_has_grown_past_a_readable_size() -> None:
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in SOURCES}
    assert {path: count for path, count in lines.items() if count > 500} == {}


def test_no_module_is_named_after_nothing() -> None:
    assert [path for path in SOURCES if path.stem in {"utils", "helpers", "common", "misc", "util", "helper"}] == []


def test_no_template_holds_inline_script_or_handlers() -> None:
    """The content security policy would refuse them; so do we, earlier."""
    inline = re.compile(
        r"<script(?![^>]*\b(?:src|type=\"application/(?:json|ld\+json)\"))[^>]*>|\son[a-z]+=\"|javascript:"
    )
    assert [str(path.relative_to(ROOT)) for path in TEMPLATES if inline.search(path.read_text())] == []


def test_no_view_reads_without_a_scope() -> None:
    """`scopes_disabled` belongs to the few queries that are named after what they give."""
    users = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if path.stem in {"views", "api"} or "views" in path.parts
        if re.search(r"scopes_disabled", path.read_text())
    ]
    assert users == []


def test_every_public_function_and_class_says_what_it_means() -> None:
    silent = []
    for path in SOURCES:
        if path.stem in {"apps", "urls"} or "views" in {path.stem, path.parent.name}:
            continue  # the framework's names say it
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) or node.name[0] == "_":
                continue
            is_overload = any(isinstance(mark, ast.Name) and mark.id == "overload" for mark in node.decorator_list)
            if not is_overload and not ast.get_docstring(node):
                silent.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert silent == []


def test_models_and_migrations_agree(tmp_path: Path) -> None:
    """In a process of its own: other tests make models that no migration knows."""
    command = [sys.executable, "-m", "yizhan.site.cli", "manage", "makemigrations", "--check", "--dry-run"]
    environment = {"PATH": "/usr/bin:/bin", "YIZHAN_VAR": str(tmp_path), "YIZHAN_BASE_URL": "https://yizhan.example.cn"}
    # It needs no database and says so when there is none.
    environment["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:9/none"
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No changes detected" in done.stdout


def test_settings_pass_the_checks_of_a_public_installation(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "YIZHAN_VAR": str(tmp_path), "YIZHAN_BASE_URL": "https://yizhan.example.cn"}
    done = subprocess.run(
        [sys.executable, "-m", "yizhan.site.cli", "check", "--deploy"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout + done.stderr


def test_a_wrong_setting_is_named_with_its_value_and_rule(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "YIZHAN_VAR": str(tmp_path), "YIZHAN_AUDIT_RETENTION_DAYS": "30"}
    done = subprocess.run(
        [sys.executable, "-m", "yizhan.site.cli", "check"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "YIZHAN_AUDIT_RETENTION_DAYS" in done.stderr
    assert "30" in done.stderr
    assert "183" in done.stderr


def test_keys_are_made_once_and_only_their_owner_may_read_them(tmp_path: Path) -> None:
    from yizhan.site.environment import Environment

    first = Environment(var=tmp_path).keys
    assert Environment(var=tmp_path).keys == first
    assert {oct(path.stat().st_mode & 0o777) for path in (tmp_path / "keys").iterdir()} == {"0o600"}
