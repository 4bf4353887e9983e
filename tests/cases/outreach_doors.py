"""Links, visits, rounds and tasks to knock with."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from uuid import uuid4

from django.utils import timezone
from PIL import Image

from tests.site.door import Door, World
from yizhan.cases.models import Evidence, Link, Visit
from yizhan.cases.services import hand_overs, ledger, rounds, task_passes
from yizhan.cases.services.links import LinkEnd, make_link
from yizhan.cases.services.visits import add_photo, save_visit
from yizhan.cases.visits.facts import VisitFacts
from yizhan.unions.models import Staff
from yizhan.unions.rights import Role


def _picture() -> bytes:
    picture = BytesIO()
    Image.new("RGB", (160, 120)).save(picture, "PNG")
    return picture.getvalue()


def _link(world: World, post: Staff | None = None) -> Link:
    someone = world.worker(world.owner.union, name=world.secret)
    return make_link(actor=world.owner, post=post or world.owner, end=LinkEnd(worker=someone))


def _hand_over(world: World) -> dict[str, Any]:
    colleague = world.post(world.owner.union, Role.CADRE)
    link = _link(world, colleague)
    offer = hand_overs.offer_links(
        actor=world.owner, from_post=colleague, to_post=world.owner, links=[link], reason=world.secret
    )
    return {"public_id": offer.public_id}


def _visit(world: World) -> Visit:
    facts = VisitFacts(kind="home", at=timezone.now(), where=world.secret, words=world.secret)
    return save_visit(actor=world.owner, client_id=uuid4(), request_id=uuid4(), base=0, facts=facts).visit


def _seen_visit(world: World) -> dict[str, Any]:
    visit = _visit(world)
    photo = add_photo(actor=world.owner, visit=visit, client_id=uuid4(), content=_picture())
    change = VisitFacts(kind="home", at=timezone.now(), where=world.secret)
    late = save_visit(actor=world.owner, visit=visit, request_id=uuid4(), base=99, facts=change)
    return {
        "public_id": visit.public_id,
        "photo_id": photo.public_id,
        "request_id": late.save.request_id,
        "client_id": visit.client_id,
    }


def _round(world: World) -> dict[str, Any]:
    stop = rounds.StopFacts(kind="home", name=world.secret)
    planned = rounds.plan_round(actor=world.owner, title=world.secret, day=timezone.localdate(), stops=[stop])
    return {"public_id": planned.public_id, "stop_id": planned.stops(manager="_base_manager").get().public_id}


def _task(world: World) -> dict[str, Any]:
    project = ledger.make_project(actor=world.owner, union=world.owner.union, name=f"{world.secret} {uuid4()}")
    task_list = ledger.make_list(actor=world.owner, project=project, name=world.secret)
    task = ledger.make_task(actor=world.owner, task_list=task_list, facts=ledger.TaskFacts(title=world.secret))
    proof: Evidence = ledger.add_evidence(actor=world.owner, task=task, title=world.secret, picture=_picture())
    return {"public_id": task.public_id, "proof_id": proof.public_id, "project": project.public_id}


def _project(world: World) -> dict[str, Any]:
    return {"public_id": _task(world)["project"]}


def _offer(world: World) -> dict[str, Any]:
    """Passed down from the city to the owner's union."""
    above = world.post(world.tree.zhengzhou)
    project = ledger.make_project(actor=above, union=above.union, name=f"{world.secret} {uuid4()}")
    task_list = ledger.make_list(actor=above, project=project, name="清单")
    task = ledger.make_task(actor=above, task_list=task_list, facts=ledger.TaskFacts(title=world.secret))
    (offer,) = task_passes.pass_down(actor=above, task=task, unions=[world.owner.union])
    return {"public_id": offer.public_id}


doors = {
    "me/contact/<uuid:public_id>/": Door(lambda world: {"public_id": _link(world).public_id}, closed_to_all=True),
    "desk/links/export.<str:form>": Door(lambda world: {"form": "csv"}, public=True),
    "desk/links/coverage/export.<str:form>": Door(lambda world: {"form": "csv"}, public=True),
    "desk/links/hand-overs/from/<uuid:public_id>/": Door(lambda world: {"public_id": _link(world).post.public_id}),
    "desk/links/hand-overs/<uuid:public_id>/": Door(_hand_over),
    "desk/links/<uuid:public_id>/": Door(lambda world: {"public_id": _link(world).public_id}),
    "desk/visits/export.<str:form>": Door(lambda world: {"form": "csv"}, public=True),
    "desk/visits/<uuid:public_id>/": Door(_seen_visit),
    "desk/rounds/<uuid:public_id>/": Door(_round),
    "desk/ledger/offers/<uuid:public_id>/": Door(_offer),
    "desk/ledger/projects/<uuid:public_id>/": Door(_project),
    "desk/ledger/tasks/<uuid:public_id>/": Door(_task),
    "api/visits/<uuidstr:client_id>": Door(_seen_visit),
}
