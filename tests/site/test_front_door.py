"""The front door's configuration is Caddy's own JSON; Caddy itself says whether it is valid."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from yizhan.site.serving.front import HOT_PATHS, FrontDoor
from yizhan.site.serving.processes import caddy


def door(folder: Path, *, tls: bool, names: tuple[str, ...] = ("yizhan.example.cn",)) -> FrontDoor:
    return FrontDoor(
        host="127.0.0.1",
        port=8443,
        names=names,
        tls=tls,
        django_socket=folder / "django.sock",
        hot_socket=folder / "hot.sock",
        static_root=folder / "static",
        media_root=folder / "media",
        state_folder=folder / "caddy",
    )


@pytest.mark.parametrize("tls", [True, False])
def test_caddy_accepts_the_configuration(tmp_path: Path, tls: bool) -> None:
    path = tmp_path / "caddy.json"
    door(tmp_path, tls=tls).write(path)
    done = subprocess.run([caddy(), "validate", "--config", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_public_name_gets_a_public_certificate_and_a_local_one_its_own(tmp_path: Path) -> None:
    public = door(tmp_path, tls=True).configuration()["apps"]["tls"]["automation"]["policies"]
    local = door(tmp_path, tls=True, names=("127.0.0.1",)).configuration()["apps"]["tls"]["automation"]["policies"]
    assert public == [{"subjects": ["yizhan.example.cn"]}]
    assert local == [{"subjects": ["127.0.0.1"], "issuers": [{"module": "internal"}]}]


def test_every_hot_path_goes_to_the_hot_socket_and_all_else_to_django(tmp_path: Path) -> None:
    routes = door(tmp_path, tls=False).configuration()["apps"]["http"]["servers"]["yizhan"]["routes"]
    hot = [route["match"] for route in routes if "hot.sock" in json.dumps(route)]
    assert {path for match in hot for rule in match for path in rule["path"]} >= set(HOT_PATHS)
    assert "/api/feeds/changes" in str(hot)
    assert "match" not in routes[-1]
    assert "django.sock" in json.dumps(routes[-1])


def test_of_the_uploads_only_photos_of_places_are_served_and_only_as_pictures(tmp_path: Path) -> None:
    routes = door(tmp_path, tls=False).configuration()["apps"]["http"]["servers"]["yizhan"]["routes"]
    photos, others = routes[0], routes[1]
    (rule,) = photos["match"]
    pattern = re.compile(rule["path_regexp"]["pattern"])
    name = "0123456789abcdef0123456789abcdef"
    assert pattern.search(f"/media/places/01/{name}.jpg")
    for path in (
        f"/media/verifications/01/{name}.jpg",
        "/media/report-photos/2026/11/x.jpg",
        "/media/places/",
        f"/media/places/01/{name}.html",
        f"/media/places/01/../../{name}.jpg",
    ):
        assert not pattern.search(path)
    headers = photos["handle"][1]["response"]["set"]
    assert headers["Content-Type"] == ["image/jpeg"]
    assert headers["X-Content-Type-Options"] == ["nosniff"]
    assert others["match"] == [{"path": ["/media/*"]}]
    assert others["handle"][0]["status_code"] == 404


def test_a_failure_is_logged_without_who_asked_and_from_where(tmp_path: Path) -> None:
    encoder = door(tmp_path, tls=False).configuration()["logging"]["logs"]["default"]["encoder"]
    assert encoder["fields"]["request"] == {"filter": "delete"}
