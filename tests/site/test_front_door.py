"""The front door's configuration is Caddy's own JSON; Caddy itself says whether it is valid."""

import json
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
    hot = next(route for route in routes if "hot.sock" in json.dumps(route))
    assert hot["match"] == [{"path": list(HOT_PATHS)}]
    assert "match" not in routes[-1]
    assert "django.sock" in json.dumps(routes[-1])
