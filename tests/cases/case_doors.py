"""Cases to knock with for `tests/site/test_every_door.py`."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.site.door import Door, World
from yizhan.cases.facts import CaseFacts, GivenFile
from yizhan.cases.models import Case, CaseFile, CaseSource
from yizhan.cases.numbers import token_for
from yizhan.cases.services.intake import submit_case
from yizhan.cases.services.kinds import create_client, intake_code, save_filter
from yizhan.geo import Datum
from yizhan.places.models import Place
from yizhan.places.services import PlaceFacts, create_place, publish_place
from yizhan.places.services.reports import report_fault

_PDF = GivenFile("合同.pdf", b"%PDF-1.4 contract")


def _case(world: World, *, kind: str = "need", **options: Any) -> Case:
    fields = {"about": "wages"} if kind == "rights" else {}
    facts = CaseFacts(kind=kind, title=world.secret, text=world.secret, fields=fields, contact_name=world.secret)
    return submit_case(
        facts,
        union=world.owner.union,
        source=CaseSource.CADRE,
        actor=world.owner,
        files=[_PDF],
        lenient=True,
        **options,
    )


def _desk(world: World) -> dict[str, Any]:
    case = _case(world, kind="rights")
    kept = CaseFile.objects.with_scopes_disabled().get(case=case)
    return {"public_id": case.public_id, "file_id": kept.public_id, "step": "note"}


def _own(world: World) -> dict[str, Any]:
    """A worker of another union, whom no visitor is."""
    case = _case(world, worker=world.worker(world.tree.shenzhen))
    kept = CaseFile.objects.with_scopes_disabled().get(case=case)
    return {"public_id": case.public_id, "file_id": kept.public_id, "step": "add"}


def _link(world: World) -> dict[str, Any]:
    """Whoever holds the link may come in: that is what it is for."""
    request_id = uuid4()
    facts = CaseFacts(kind="suggestion", text="加装遮阳棚")
    case = submit_case(
        facts, union=world.owner.union, source=CaseSource.WORKER, request_id=request_id, token=token_for(request_id),
        files=[_PDF],
    )  # fmt: skip
    kept = CaseFile.objects.with_scopes_disabled().get(case=case)
    return {"token": token_for(request_id), "file_id": kept.public_id, "step": "add"}


def _filed(world: World) -> dict[str, Any]:
    """Open311 shows everyone that a case was filed, and nothing that was said in it."""
    client, _key = create_client(world.owner.union, name="系统", actor=world.owner)
    facts = CaseFacts(kind="need", text=world.secret, address=world.secret, contact_name=world.secret)
    case = submit_case(facts, union=world.owner.union, source=CaseSource.OPEN311, client=client)
    return {"number": case.number, "form": "json", "token": case.public_id, "code": "need"}


def _client(world: World) -> dict[str, Any]:
    return {"public_id": create_client(world.owner.union, name=world.secret, actor=world.owner)[0].public_id}


def _code(world: World) -> dict[str, Any]:
    code = intake_code(world.owner.union, actor=world.owner)
    return {"public_id": code.public_id, "code": code.code}


def _report(world: World) -> dict[str, Any]:
    facts = PlaceFacts(name="反馈的站", lon=113.62, lat=34.75, datum=Datum.WGS84)
    place: Place = publish_place(create_place(facts, union=world.owner.union, actor=world.owner), actor=world.owner)
    receipt = report_fault(place, kind="other", request_id=uuid4(), words=world.secret)
    return {"public_id": receipt.report.public_id}


doors = {
    "cases/new/<slug:kind>/": Door(lambda world: {"kind": "need"}, public=True),
    "cases/at/<slug:code>/": Door(_code, public=True),
    "cases/t/<slug:token>/": Door(_link, public=True),
    "cases/<uuid:public_id>/": Door(_own, closed_to_all=True),
    "desk/cases/export.<str:form>": Door(lambda world: {"form": "csv"}, public=True),
    "desk/cases/filters/<uuid:public_id>/": Door(
        lambda world: {"public_id": save_filter(world.owner, name=world.secret, query="q=1").public_id}
    ),
    "desk/cases/from-report/<uuid:public_id>/": Door(_report),
    "desk/cases/kinds/<slug:code>/": Door(lambda world: {"code": "need"}, public=True),
    "desk/cases/intake/<uuid:public_id>": Door(_code),
    "desk/cases/intake/clients/<uuid:public_id>/": Door(_client),
    "desk/cases/<uuid:public_id>/": Door(_desk),
    "open311/discovery.<str:form>": Door(lambda world: {"form": "json"}, public=True),
    "open311/v2/": Door(_filed, public=True),
    "api/unions/<uuidstr:public_id>/case-kinds": Door(
        lambda world: {"public_id": world.owner.union.public_id}, public=True
    ),
    "api/my/cases/<uuidstr:public_id>": Door(_own, closed_to_all=True),
    "api/my/cases/<uuidstr:public_id>/verdict": Door(_own, closed_to_all=True, body={"verdict": "solved"}),
    "api/cases/<uuidstr:public_id>": Door(_desk),
    "api/cases/<uuidstr:public_id>/steps": Door(_desk, body={"step": "note", "words": "不该写上", "seen": 1}),
}
