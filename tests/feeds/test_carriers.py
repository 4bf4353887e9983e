"""Ways to partners that take no messages: the platforms' tables, files by SFTP, files by e-mail.

The platforms here are simulated: servers written from the same public documentation as the presets.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import asyncssh
import pytest
from django.core import mail
from django.utils import timezone
from openpyxl import load_workbook
from pytest_django import Settings

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.feeds.models import Listing, ListingState, Partner, Push
from yizhan.feeds.payloads import FIELDS
from yizhan.feeds.presets import PRESETS
from yizhan.feeds.pushing.files import ssh_public_key
from yizhan.feeds.services import partners as services
from yizhan.geo import Datum, convert
from yizhan.places.models import Place
from yizhan.places.services import close_place
from yizhan.unions.errors import RuleBroken
from yizhan.unions.rights import OPERATOR

from .pushes import Clock, Receiver, a_partner, listing, push, serving, verify


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    with serving(Receiver()) as made:
        made.url = made.url.removesuffix("/places")
        yield made


@pytest.fixture
def place(make_place: PlaceMaker, tree: UnionTree) -> Place:
    made = make_place(tree.zhongyuan, name="枫杨驿站", lon=113.62, lat=34.75, hours="24/7")
    verify(made)
    return made


class Table:
    """A platform's table of places."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: dict[str, dict[str, Any]] = {}

    def __call__(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if "/list?" in path:
            return 200, json.dumps(self.list(path)).encode()
        return 200, json.dumps(getattr(self, self.name)(path, headers["content-type"], body)).encode()

    def list(self, path: str) -> dict[str, Any]:
        """Rows that hold the number that is asked for, under the names of each platform."""
        asked = {key: values[0] for key, values in parse_qs(path.split("?", 1)[1]).items()}
        number = asked.get("station_id") or asked["filter"].removeprefix("station_id:")
        number = number.removeprefix('ud_id in("').removesuffix('")')
        rows = [key for key, row in self.rows.items() if number in json.dumps(row)]
        match self.name:
            case "amap":
                return {"status": 1, "info": "OK", "count": len(rows), "datas": [{"_id": key} for key in rows]}
            case "baidu":
                return {"status": 0, "message": "成功", "size": len(rows), "pois": [{"id": key} for key in rows]}
        return {"status": 0, "message": "成功", "result": {"count": len(rows), "data": [{"id": key} for key in rows]}}

    def amap(self, path: str, kind: str, body: bytes) -> dict[str, Any]:
        form = {key: values[0] for key, values in parse_qs(body.decode()).items()}
        assert kind.startswith("application/x-www-form-urlencoded")
        if form["key"] != "their key":
            return {"status": 0, "info": "INVALID_USER_KEY", "infocode": "10001"}
        assert form["tableid"] == "t1"
        if path == "/datamanage/data/delete":
            self.rows.pop(form["ids"])
            return {"status": 1, "info": "OK", "infocode": "10000", "success": 1, "fail": 0}
        data = json.loads(form["data"])
        if not data["_name"]:
            return {"status": 0, "info": "INVALID_PARAMS", "infocode": "20000"}
        number = data.get("_id") or str(len(self.rows) + 1)
        assert path == f"/datamanage/data/{'update' if '_id' in data else 'create'}"
        self.rows[number] = data
        return {"status": 1, "info": "OK", "infocode": "10000", "_id": number}

    def baidu(self, path: str, kind: str, body: bytes) -> dict[str, Any]:
        form = {key: values[0] for key, values in parse_qs(body.decode()).items()}
        if form["ak"] != "their key":
            return {"status": 5, "message": "ak不存在或者非法"}
        number = form.get("id") or str(len(self.rows) + 1)
        if path == "/geodata/v4/poi/delete":
            self.rows.pop(number)
        else:
            assert path == f"/geodata/v4/poi/{'update' if 'id' in form else 'create'}"
            self.rows[number] = form
        return {"status": 0, "message": "成功", "id": number}

    def tencent(self, path: str, kind: str, body: bytes) -> dict[str, Any]:
        told = json.loads(body)
        assert kind == "application/json"
        if told["key"] != "their key":
            return {"status": 311, "message": "key格式错误"}
        if path == "/place_cloud/data/create":
            (data,) = told["data"]
            self.rows[data["ud_id"]] = data
            return {"status": 0, "message": "成功", "result": {"count": 1, "success": [{"id": "q1"}], "failure": []}}
        number = told["filter"].split('"')[1]
        if path == "/place_cloud/data/delete":
            self.rows.pop(number)
        else:
            self.rows[number] = told["data"]
        return {"status": 0, "message": "成功", "result": {"count": 1}}


@pytest.mark.parametrize("name", ["amap", "baidu", "tencent"])
def test_a_place_is_created_changed_and_removed_in_a_platforms_table(
    name: str, place: Place, receiver: Receiver, tree: UnionTree, post: PostMaker
) -> None:
    table = Table(name)
    receiver.answer = table
    facts = {"address": receiver.url, "platform_key": "their key", "platform_table": "t1"}
    partner = a_partner(tree.zhengzhou, preset=name, **facts).partner
    assert push(Clock()) == 1
    (row,) = table.rows.values()
    lon, lat = convert(place.lon, place.lat, source=Datum.WGS84, target=Datum(PRESETS[name].datum))
    shown = json.dumps(row, ensure_ascii=False)
    assert "枫杨驿站" in shown
    assert str(place.public_id) in shown
    assert f"{lon:.6f}".rstrip("0") in shown
    assert f"{lat:.6f}".rstrip("0") in shown
    found = listing(partner, place)
    assert (found.state, bool(found.their_id)) == (ListingState.ACCEPTED, True)

    Place.objects.with_scopes_disabled().filter(pk=place.pk).update(name="新名字")
    push(Clock())
    (row,) = table.rows.values()
    assert "新名字" in json.dumps(row, ensure_ascii=False)
    close_place(place, actor=post(tree.zhongyuan))
    push(Clock())
    assert table.rows == {}
    assert listing(partner, place).state == ListingState.WITHDRAWN


@pytest.mark.parametrize("name", ["amap", "baidu", "tencent"])
@pytest.mark.parametrize("closes", [False, True])
def test_what_was_created_but_not_noted_is_found_again_and_neither_doubled_nor_left_behind(
    name: str, closes: bool, place: Place, receiver: Receiver, tree: UnionTree, post: PostMaker
) -> None:
    table = Table(name)
    receiver.answer = table
    facts = {"address": receiver.url, "platform_key": "their key", "platform_table": "t1"}
    partner = a_partner(tree.zhengzhou, preset=name, **facts).partner
    push(Clock())
    Listing.every.filter(partner=partner).update(  # what a worker leaves that is killed before it notes the answer
        their_id="", state=ListingState.PENDING, is_waiting=True, taken_wanted=False, taken_sequence=0
    )
    if closes:
        close_place(place, actor=post(tree.zhongyuan))
    push(Clock())
    assert len(table.rows) == (0 if closes else 1)
    found = listing(partner, place)
    assert (found.is_waiting, found.state) == (False, ListingState.WITHDRAWN if closes else ListingState.ACCEPTED)
    assert closes or found.their_id


@pytest.mark.parametrize("name", ["amap", "baidu", "tencent"])
def test_a_wrong_key_or_a_page_of_a_proxy_is_a_failure_of_the_platform_and_no_dead_letter(
    name: str, place: Place, receiver: Receiver, tree: UnionTree
) -> None:
    receiver.answer = Table(name)
    facts = {"address": receiver.url, "platform_key": "wrong", "platform_table": "t1"}
    partner = a_partner(tree.zhengzhou, preset=name, **facts).partner
    clock = Clock()
    push(clock)
    receiver.answer, receiver.body, clock.now = None, b"<html>sign in</html>", clock.now + 600
    push(clock)
    partner.refresh_from_db()
    assert (partner.failures, partner.last_answer) == (2, "HTTP 200: not an answer of the platform")
    assert listing(partner, place).died_at is None


@dataclass
class SftpHost:
    """A real SFTP server of this machine."""

    folder: Path
    port: int = 0
    host_key: str = ""
    allowed: list[str] = field(default_factory=list)


@pytest.fixture
def host(tmp_path: Path, settings: Settings) -> Iterator[SftpHost]:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    made = SftpHost(tmp_path / "partner")
    (made.folder / "in").mkdir(parents=True)
    key = asyncssh.generate_private_key("ssh-ed25519")
    made.host_key = key.export_public_key().decode()
    ready, stop = threading.Event(), None

    class Server(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return True

        def public_key_auth_supported(self) -> bool:
            return True

        def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
            return username == "yizhan" and key.export_public_key().decode().split()[1] in made.allowed

    loop = asyncio.new_event_loop()

    async def run() -> None:
        nonlocal stop
        stop = asyncio.Event()
        server = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=Server,
            server_host_keys=[key],
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(made.folder)),
        )
        made.port = server.get_port()
        ready.set()
        await stop.wait()
        server.close()
        await server.wait_closed()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    assert ready.wait(20)
    yield made
    assert stop is not None
    loop.call_soon_threadsafe(stop.set)
    thread.join(20)
    loop.close()


def test_a_file_is_laid_into_the_partners_folder_whole_and_only_on_the_agreed_host(
    place: Place, host: SftpHost, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    make_place(tree.zhongyuan, name="没人看过")
    facts = {"address": f"sftp://yizhan@127.0.0.1:{host.port}/in", "host_key": host.host_key}
    partner = a_partner(tree.zhengzhou, preset="didi", **facts).partner
    clock = Clock()
    push(clock)
    partner.refresh_from_db()
    assert partner.last_answer == "SFTP: the host does not let us in"

    host.allowed.append(ssh_public_key(partner.private_key or "").split()[1])
    clock.now += 3_600
    push(clock)
    (file,) = (host.folder / "in").iterdir()
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    assert [(row["名称"], row["类型"], row["坐标系"], row["营业时间"]) for row in rows] == [
        ("枫杨驿站", "工会驿站", "GCJ-02", "每天 24 小时")
    ]
    assert listing(partner, place).state == ListingState.SENT

    close_place(place, actor=post(tree.zhongyuan))
    clock.now += 3_600
    assert push(clock) == 0  # one file a day
    clock.now += 24 * 3_600
    push(clock)
    latest = max((host.folder / "in").iterdir())
    (row,) = csv.DictReader(io.StringIO(latest.read_text(encoding="utf-8-sig")))
    assert (row["名称"], row["状态"]) == ("枫杨驿站", "已撤站，请下线")
    assert listing(partner, place).state == ListingState.SENT  # nobody has said that it is gone

    Partner.every.update(host_key=asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode())
    services.send_everything(staff=OPERATOR, partner=partner)
    Listing.every.update(is_waiting=True)
    push(clock)
    partner.refresh_from_db()
    assert partner.last_answer == "SFTP: the host has another key than agreed"


def test_an_sftp_host_inside_is_not_connected_to_unless_it_is_listed(
    place: Place, host: SftpHost, tree: UnionTree
) -> None:
    from yizhan.feeds.pushing.files import lay_down
    from yizhan.unions.webhooks import Reach

    facts = {"address": f"sftp://yizhan@localhost:{host.port}/in", "host_key": host.host_key}
    partner = a_partner(tree.zhengzhou, preset="didi", **facts).partner
    assert asyncio.run(lay_down(partner, "x.csv", b"x", Reach())).words == "not a public address"
    for address in ("https://host/", "sftp://host/", "sftp://u:p@host/", "sftp://u@host:99999/"):
        with pytest.raises(RuleBroken):
            a_partner(tree.zhengzhou, preset="didi", name="别的", address=address)


def test_a_list_is_handed_over_by_email_with_formulas_made_harmless(
    place: Place, tree: UnionTree, settings: Settings, make_place: PlaceMaker
) -> None:
    evil = make_place(tree.zhongyuan, name='=HYPERLINK("http://x")')
    verify(evil)
    partner = a_partner(tree.zhengzhou, preset="meituan", email="data@meituan.example").partner
    settings.MAIL_IS_SET = False
    clock = Clock()
    push(clock)
    partner.refresh_from_db()
    assert partner.last_answer == "no mail server is set (YIZHAN_EMAIL_URL)"

    settings.MAIL_IS_SET = True
    clock.now += 3_600
    push(clock)
    (sent,) = mail.outbox
    assert sent.to == ["data@meituan.example"]
    ((name, content, kind),) = sent.attachments
    assert name.endswith(".xlsx")
    assert "spreadsheetml" in kind
    sheet = load_workbook(io.BytesIO(content)).active
    header, *rows = sheet.iter_rows(values_only=True)
    assert header[:3] == ("编号", "名称", "类型")
    assert {row[1] for row in rows} == {"枫杨驿站", '=HYPERLINK("http://x")'}
    assert all(cell.data_type != "f" for line in sheet.iter_rows() for cell in line)
    assert Push.every.filter(outcome="taken").count() == 1
    assert timezone.now()


def test_every_preset_names_only_fields_that_there_are_and_says_where_it_comes_from() -> None:
    for preset in PRESETS.values():
        assert {ours for ours in preset.mapping.values() if not ours.startswith("=")} <= set(FIELDS), preset.code
        assert "id" in preset.mapping.values()
        assert preset.documentation.startswith("https://") or preset.note
        assert bool(preset.platform) == bool(preset.address) == bool(preset.documentation)
