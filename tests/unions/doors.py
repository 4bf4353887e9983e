"""Objects of the unions room for `tests/site/test_every_door.py`."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator

from tests.site.door import Door, World
from yizhan.unions.rights import Role
from yizhan.unions.services import inbox


def _post(world: World) -> dict[str, Any]:
    return {"public_id": world.post(world.owner.union, Role.KEEPER, name=world.secret).public_id}


def _worker(world: World) -> dict[str, Any]:
    return {"public_id": world.worker(world.owner.union, name=world.secret).public_id}


def _message(world: World) -> dict[str, Any]:
    return {"public_id": inbox.send(title=world.secret, body=world.secret, posts=[world.owner])[0].public_id}


def _passkey(world: World) -> dict[str, Any]:
    made = Authenticator.objects.create(
        user_id=world.owner.user_id, type=Authenticator.Type.WEBAUTHN, data={"name": world.secret}
    )
    return {"pk": made.pk}


doors = {
    "desk/inbox/<uuid:public_id>/": Door(_message),
    "desk/unions/<uuid:public_id>/": Door(lambda world: {"public_id": world.owner.union.public_id}),
    "desk/people/<uuid:public_id>/": Door(_post),
    "desk/people/workers/<uuid:public_id>/": Door(_worker),
    "desk/people/export/<str:form>/": Door(lambda world: {"form": "csv"}, public=True),
    "desk/people/workers/export/<str:form>/": Door(lambda world: {"form": "csv"}, public=True),
    "desk/audit/export/<str:form>/": Door(lambda world: {"form": "csv"}, public=True),
    "accounts/2fa/webauthn/keys/<int:pk>/": Door(_passkey),
    "accounts/oidc/": Door(lambda world: {"provider_id": "unknown"}, public=True),
}
