"""Telling people about cases, after the step has been committed. A confidential case is told to its circle only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.functional import lazy
from django.utils.translation import gettext as _

from yizhan.cases.circle import circle_of
from yizhan.cases.kinds import title_of
from yizhan.cases.models import Case, CaseParty, PartyRole
from yizhan.cases.rights import HANDLE_CASES
from yizhan.unions.models import Staff, Union
from yizhan.unions.services.inbox import send


def _heading(number: str, kind: str, heading: str) -> str:
    # Nothing of a confidential case's content stands in an inbox.
    return f"{title_of(kind)} {number} {heading}".strip()


named = lazy(_heading, str)


def name_of(case: Case) -> Any:
    """What a message calls a case: kind, number, and the title unless it is confidential."""
    return named(case.number, case.kind, case.title)


def tell_union(case: Case, words: Any, *, union: Union | None = None) -> None:
    """Tell those who handle cases at the owner, or at `union`."""
    where = union or case.union
    if case.is_confidential:
        send(title=name_of(case), body=words, link=case.get_absolute_url(), posts=circle_of(where, case.kind))
    else:
        send(title=name_of(case), body=words, link=case.get_absolute_url(), union=where, right=HANDLE_CASES)


def tell_handlers(case: Case, words: Any, *, but: Staff | None = None) -> None:
    """Tell the handler and those who help; those who handle cases at the owner where there is no handler."""
    helpers = CaseParty.objects.with_scopes_disabled().filter(case=case, role=PartyRole.CO_HANDLER, staff__isnull=False)
    posts = [party.staff for party in helpers.select_related("staff__user", "staff__union") if party.staff]
    if case.handler is not None:
        posts.append(case.handler)
    told = [post for post in posts if but is None or post.pk != but.pk]
    if posts:
        tell_posts(case, words, told)
    else:
        tell_union(case, words)


def tell_posts(case: Case, words: Any, posts: Iterable[Staff]) -> None:
    """Tell these posts."""
    send(title=name_of(case), body=words, link=case.get_absolute_url(), posts=posts)


def words_for(message: str, **values: Any) -> Any:
    """A sentence in its reader's language, its values put in."""
    return lazy(lambda: _(message) % values, str)()
