"""Manifest, service worker, islands: what makes the pages an app."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from django.template import Context, Template
from django.test import Client

from yizhan.web.templatetags import vite

STATIC = vite.BUILT.parents[1]
SCRIPT_BUDGET = 100_000  # compressed bytes of script on a worker's page, the map library apart


def built_or_skip() -> dict[str, dict[str, object]]:
    built = vite.manifest()
    if built is None:
        pytest.skip("the front end is not built: python -m yizhan.site.frontend build")
    return built


def test_the_manifest_lets_a_phone_install_the_site(client: Client) -> None:
    answer = client.get("/manifest.webmanifest")
    assert answer.headers["Content-Type"] == "application/manifest+json"
    manifest = json.loads(answer.text)
    assert manifest["lang"] == "zh-Hans"
    assert manifest["start_url"].startswith("/")
    assert manifest["display"] == "standalone"
    assert {"192x192", "512x512"} <= {icon["sizes"] for icon in manifest["icons"]}
    assert any(icon["purpose"] == "maskable" for icon in manifest["icons"])
    for icon in manifest["icons"]:
        name = Path(icon["src"]).name
        assert (STATIC / "web" / "icons" / name).exists()


def test_the_service_worker_is_always_asked_for_anew(client: Client) -> None:
    built_or_skip()
    answer = client.get("/service-worker.js")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cache-Control"] == "no-cache"


def test_the_offline_page_holds_no_form_whose_token_would_grow_stale(client: Client, db: None) -> None:
    page = client.get("/offline/")
    assert page.status_code == 200
    assert "csrfmiddlewaretoken" not in page.text


def test_pages_render_before_the_front_end_is_built(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(vite, "MANIFEST", tmp_path / "manifest.json")
    page = client.get("/").text
    assert "not built; run python -m yizhan.site.frontend build" in page
    assert "附近的驿站" in page


def test_an_island_without_a_source_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"src/islands/home.ts": {"file": "a.js", "isEntry": True}}))
    monkeypatch.setattr(vite, "MANIFEST", manifest)
    with pytest.raises(vite.UnknownIsland, match=r"no island 'harbour'.*home"):
        Template('{% load vite %}{% island "harbour" %}').render(Context())


def test_an_island_brings_its_styles_and_what_it_imports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(
        json.dumps(
            {
                "src/islands/home.ts": {"file": "home.js", "isEntry": True, "css": ["h.css"], "imports": ["_words.js"]},
                "_words.js": {"file": "words.js", "css": ["w.css"], "imports": ["src/islands/home.ts"]},
            }
        )
    )
    monkeypatch.setattr(vite, "MANIFEST", manifest)
    tags = Template('{% load vite %}{% island "home" %}').render(Context())
    assert tags == (
        '<link rel="stylesheet" href="/static/web/built/h.css"><link rel="stylesheet" href="/static/web/built/w.css">'
        '<link rel="modulepreload" href="/static/web/built/words.js">'
        '<script type="module" src="/static/web/built/home.js"></script>'
    )


@pytest.mark.parametrize("island", ["home", "my-code", "meal", "ticket", "counter"])
def test_a_workers_page_stays_within_its_script_budget(island: str) -> None:
    built = built_or_skip()
    files: set[str] = set()
    waiting = [f"src/islands/{name}.ts" for name in ("shell", island)]
    while waiting:
        chunk = built[waiting.pop()]
        if chunk.get("name") == "maplibre" or str(chunk["file"]) in files:
            continue
        files.add(str(chunk["file"]))
        waiting += [*chunk.get("imports", []), *chunk.get("dynamicImports", [])]  # type: ignore[misc]
    size = sum(len(gzip.compress((vite.BUILT / file).read_bytes(), 9)) for file in files)
    assert 0 < size < SCRIPT_BUDGET


def test_the_outlines_hold_all_of_the_country_and_stay_small() -> None:
    built = built_or_skip()
    file = vite.BUILT / str(built["src/data/outlines/provinces.json"]["file"])
    assert len(gzip.compress(file.read_bytes(), 9)) < 150_000
    outlines = json.loads(file.read_text("utf-8"))["features"]
    areas = {feature["properties"]["name"] for feature in outlines if feature["properties"]["sort"] == "area"}
    assert len(areas) == 34
    assert {"台湾省", "香港特别行政区", "澳门特别行政区", "海南省", "河南省"} <= areas
    lines = [feature["geometry"] for feature in outlines if feature["properties"]["sort"] == "line"]
    southmost = min(
        point[1]
        for line in lines
        for part in line["coordinates"]
        for point in (part if part[0].__class__ is list else [part])
    )
    assert southmost < 5, "the line in the South China Sea is missing"
