"""Unions and the asking person, for programs."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema
from ninja.errors import HttpError
from pydantic import Field

from .models import Staff, Union, User
from .queries.people import posts_held_by, worker_of

router = Router(tags=["unions"])
_MOST = 200


class UnionOut(Schema):
    """A union of the public tree."""

    id: UUID
    name: str
    level: str
    division_code: str | None
    has_children: bool


class UnionPage(Schema):
    """Unions directly below another; `next` is the cursor of the following page, null at the end."""

    items: list[UnionOut]
    next: str | None


class PostOut(Schema):
    """A post of the asking person."""

    id: UUID
    union: UUID
    union_name: str
    role: str
    is_acting: bool


class MeOut(Schema):
    """The asking person."""

    id: UUID
    name: str
    phone: str  # masked
    is_worker: bool
    posts: list[PostOut]


@router.get("/unions", response=UnionPage, summary="Children of a union")
def list_unions(
    request: HttpRequest,
    parent: UUID | None = None,
    after: UUID | None = None,
    limit: Annotated[int, Field(ge=1, le=_MOST)] = 50,
) -> dict[str, Any]:
    """Active unions directly below `parent`, or those at the top. Names and places in the tree are public.

    Pages by cursor: give `next` of one answer as `after` of the following question.
    """
    found = Union.objects.filter(is_active=True)
    if parent is None:
        found = found.filter(depth=1)
    else:
        above = get_object_or_404(Union, public_id=parent, is_active=True)
        found = found.filter(path__startswith=above.path, depth=above.depth + 1)
    if after is not None:
        found = found.filter(path__gt=get_object_or_404(Union, public_id=after).path)
    unions = list(found.order_by("path")[: limit + 1])
    return {
        "items": [
            {
                "id": union.public_id,
                "name": union.name,
                "level": union.level,
                "division_code": union.division_code,
                "has_children": union.numchild > 0,
            }
            for union in unions[:limit]
        ],
        "next": str(unions[limit - 1].public_id) if len(unions) > limit else None,
    }


@router.get("/me", response=MeOut, summary="The asking person")
def me(request: HttpRequest) -> dict[str, Any]:
    """Who is signed in, and the posts in which they may act."""
    user = request.user
    if not isinstance(user, User):
        raise HttpError(401, "sign in first")
    acting: Staff | None = getattr(request, "staff", None)
    posts = posts_held_by(user) if user.username else []
    return {
        "id": user.public_id,
        "name": user.name,
        "phone": user.masked_phone,
        "is_worker": worker_of(user) is not None,
        "posts": [
            {
                "id": post.public_id,
                "union": post.union.public_id,
                "union_name": post.union.name,
                "role": post.role,
                "is_acting": acting is not None and acting.pk == post.pk,
            }
            for post in posts
        ],
    }
