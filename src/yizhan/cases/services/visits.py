"""Visits as they are saved: by the desk, and by phones that had no network when it was written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _

from yizhan.cases import outreach_actions as actions
from yizhan.cases.facts import CaseFacts
from yizhan.cases.models import CaseSource, Visit, VisitNeed, VisitPerson, VisitPhoto, VisitSave, VisitSettled
from yizhan.cases.outreach_rights import RECORD_VISITS
from yizhan.cases.services.intake import submit_case
from yizhan.cases.visits.facts import NeedFacts, Resolved, VisitFacts, facts_of, kept, resolve, same
from yizhan.places.pictures import clean_picture, smaller
from yizhan.places.rules import one_line
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.locking import locked_row
from yizhan.unions.models import Staff, Worker
from yizhan.unions.rights import NotAllowed, policy

MOST_PHOTOS = 9
MOST_NEEDS = 20


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a save: the visit as it stands, and the save itself (taken or set aside)."""

    visit: Visit
    save: VisitSave

    @property
    def is_taken(self) -> bool:
        """Whether what was sent holds now."""
        return bool(self.save.outcome == VisitSave.Outcome.TAKEN)


def save_visit(
    *,
    actor: Staff,
    request_id: UUID,
    base: int,
    facts: VisitFacts,
    client_id: UUID | None = None,
    visit: Visit | None = None,
    needs: Sequence[NeedFacts] = (),
    settles: VisitSave | None = None,
    at: datetime | None = None,
) -> Saved:
    """Save a visit: a new one of the acting post under `client_id`, or a change of one that stands.

    Idempotent in `request_id` of the post: a repeated save gets the first answer, before anything else is looked at.
    A save based on another revision than the present one is set aside, not refused and never merged: its words are
    kept and shown beside the present ones until someone settles which hold (`settles`). Needs become cases in the same
    transaction, also those of a save that was set aside: they were heard either way.

    Args:
        base: The revision on which the change is based; 0 for a new visit.
        settles: A save that was set aside; taking this save settles it.
        at: The time of the audit and of the cases, for samples.

    Raises:
        NotAllowed: the actor records no visits there.
        RuleBroken: every rule that the facts or needs break.
    """
    with transaction.atomic():
        # All saves of one post wait for one another here, so that a repeated one sees the first.
        Staff.objects.with_scopes_disabled().select_for_update(no_key=True).get(pk=actor.pk)
        earlier = _answered(actor, request_id)
        if earlier is not None:
            return earlier
        current = _current(actor, client_id, visit)
        union = current.union if current else actor.union
        policy.require(actor, RECORD_VISITS, union)
        found = resolve(facts, staff=actor, earlier=current, now=at)
        problems = [*found.problems, *_wrong_needs(needs)]
        if problems:
            raise RuleBroken(problems)
        if current is None:
            current = _create(actor, client_id or request_id, facts, found)
            save = _keep(current, actor, request_id, base, facts, revision=1)
            record(actor, actions.VISIT_RECORDED, union=union, target=current, details={"people": len(found.people)})
        elif same(facts, facts_of(current)):
            save = _keep(current, actor, request_id, base, facts, revision=None)
        elif base != current.revision:
            save = _keep(current, actor, request_id, base, facts, set_aside=True)
            record(actor, actions.VISIT_SET_ASIDE, union=union, target=current)
        else:
            _change(current, facts, found)
            save = _keep(current, actor, request_id, base, facts, revision=current.revision)
            record(actor, actions.VISIT_CHANGED, union=union, target=current)
        _hear(current, needs, actor, at)
        if settles is not None and save.outcome == VisitSave.Outcome.TAKEN:
            _settle(actor, current, settles)
        return Saved(current, save)


@transaction.atomic
def keep_present(*, actor: Staff, save: VisitSave) -> None:
    """Settle a save that was set aside in favour of what stands now.

    Raises:
        NotAllowed: the actor records no visits there.
    """
    visit: Visit = (
        Visit.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("union", "post")
        .get(pk=save.visit_id)
    )
    _require_over(actor, visit)
    _settle(actor, visit, save)


def add_photo(*, actor: Staff, visit: Visit, client_id: UUID, content: bytes) -> VisitPhoto:
    """Add a picture, written anew without what cameras write into it. Idempotent in `client_id`.

    Raises:
        NotAllowed: the actor records no visits there.
        RuleBroken: the picture cannot be taken, or there are enough.
    """
    photos = VisitPhoto.objects.with_scopes_disabled().filter(visit=visit)
    _require_over(actor, visit)
    earlier: VisitPhoto | None = photos.filter(client_id=client_id).first()
    if earlier is not None:
        return earlier
    picture = clean_picture(content)
    small = smaller(picture)
    photo = VisitPhoto(visit=visit, client_id=client_id, width=picture.width, height=picture.height)
    try:
        with transaction.atomic():
            Visit.objects.with_scopes_disabled().select_for_update().get(pk=visit.pk)
            earlier = photos.filter(client_id=client_id).first()
            if earlier is not None:
                return earlier
            _refuse_too_many(photos.count())
            photo.file.save("photo.jpg", ContentFile(picture.content), save=False)
            photo.small.save("photo.jpg", ContentFile(small.content), save=False)
            photo.save()
            record(actor, actions.VISIT_PHOTO_ADDED, union=visit.union, target=visit)
    except BaseException:
        for file in (photo.file, photo.small):
            if file.name:
                file.storage.delete(file.name)
        raise
    return photo


def _refuse_too_many(photos: int) -> None:
    if photos >= MOST_PHOTOS:
        rule = _("A visit has at most %(most)d photos.") % {"most": MOST_PHOTOS}
        raise RuleBroken.at("photo", "", rule, "too_many")


def _answered(actor: Staff, request_id: UUID) -> Saved | None:
    save: VisitSave | None = (
        VisitSave.objects.with_scopes_disabled()
        .filter(post=actor, request_id=request_id)
        .select_related("visit__union", "visit__post__user", "visit__place", "visit__linked_union", "visit__stop")
        .first()
    )
    return Saved(save.visit, save) if save else None


def _current(actor: Staff, client_id: UUID | None, visit: Visit | None) -> Visit | None:
    visits = Visit.objects.with_scopes_disabled()
    named = ("union", "post__user", "place", "linked_union", "stop")
    if visit is None:
        own = visits.filter(post=actor, client_id=client_id) if client_id else visits.none()
        return locked_row(own, *named) if own.exists() else None
    found: Visit = locked_row(visits.filter(pk=visit.pk), *named)
    _require_over(actor, found)
    return found


def _require_over(actor: Staff, visit: Visit) -> None:
    """One's own visits, and those of the unions in which one records visits."""
    if actor.pk == visit.post_id and actor.is_active:
        return
    if not policy.allows(actor, RECORD_VISITS, visit.union):
        raise NotAllowed(RECORD_VISITS, visit.union)


def _columns(facts: VisitFacts, found: Resolved) -> dict[str, object]:
    return {
        "kind": facts.kind,
        "at": facts.at,
        "minutes": facts.minutes,
        "place": found.place,
        "linked_union": found.union,
        "stop": found.stop,
        "where": one_line(facts.where),
        "company": one_line(facts.company),
        "lon": facts.lon,
        "lat": facts.lat,
        "counted": facts.counted,
        "words": facts.words.strip(),
    }


def _create(actor: Staff, client_id: UUID, facts: VisitFacts, found: Resolved) -> Visit:
    visit: Visit = Visit.objects.with_scopes_disabled().create(
        post=actor, union=actor.union, client_id=client_id, **_columns(facts, found)
    )
    _set_people(visit, found.people)
    return visit


def _change(visit: Visit, facts: VisitFacts, found: Resolved) -> None:
    for name, value in _columns(facts, found).items():
        setattr(visit, name, value)
    visit.revision += 1
    visit.save()
    _set_people(visit, found.people)


def _set_people(visit: Visit, people: Sequence[Worker]) -> None:
    met = VisitPerson.objects.with_scopes_disabled()
    met.filter(visit=visit).exclude(worker__in=people).delete()
    met.bulk_create((VisitPerson(visit=visit, worker=worker) for worker in people), ignore_conflicts=True)


def _keep(
    visit: Visit,
    actor: Staff,
    request_id: UUID,
    base: int,
    facts: VisitFacts,
    *,
    revision: int | None = None,
    set_aside: bool = False,
) -> VisitSave:
    outcome = VisitSave.Outcome.SET_ASIDE if set_aside else VisitSave.Outcome.TAKEN
    save: VisitSave = VisitSave.objects.with_scopes_disabled().create(
        visit=visit, post=actor, request_id=request_id, base=base, revision=revision, outcome=outcome, facts=kept(facts)
    )
    return save


def _settle(actor: Staff, visit: Visit, save: VisitSave) -> None:
    if save.visit_id != visit.pk or save.outcome != VisitSave.Outcome.SET_ASIDE:
        raise RuleBroken.at("settles", "", _("This version belongs to another visit."), "unknown")
    _row, is_new = VisitSettled.objects.with_scopes_disabled().get_or_create(
        save_set_aside=save, defaults={"by": actor}
    )
    if is_new:
        record(actor, actions.VISIT_SETTLED, union=visit.union, target=visit)


def _wrong_needs(needs: Sequence[NeedFacts]) -> list[Problem]:
    problems: list[Problem] = []
    if len(needs) > MOST_NEEDS:
        rule = _("At most %(most)d needs a visit.") % {"most": MOST_NEEDS}
        problems.append(Problem("needs", len(needs), rule, "too_many"))
    for number, need in enumerate(needs):
        title = one_line(need.title)
        if not title or len(title) > 120:
            rule = _("Say in at most %(most)d characters what is needed.") % {"most": 120}
            problems.append(Problem(f"needs.{number}.title", title[:40], rule, "title"))
    return problems


def _hear(visit: Visit, needs: Sequence[NeedFacts], actor: Staff, at: datetime | None) -> None:
    """Each need becomes a case once: by its own id, whichever save brings it."""
    heard = VisitNeed.objects.with_scopes_disabled().filter(visit=visit)
    known = set(heard.values_list("client_id", flat=True))
    if len(known | {need.client_id for need in needs}) > MOST_NEEDS:
        raise RuleBroken.at(
            "needs", len(needs), _("At most %(most)d needs a visit.") % {"most": MOST_NEEDS}, "too_many"
        )
    for need in needs:
        if need.client_id in known:
            continue
        case = submit_case(
            CaseFacts(
                kind=need.kind,
                title=one_line(need.title),
                text=need.text.strip() or one_line(need.title),
                place=visit.place,
                address="" if visit.place else visit.where,
                lon=visit.lon,
                lat=visit.lat,
            ),
            union=visit.union,
            source=CaseSource.VISIT,
            actor=actor,
            worker=_worker_of(need, visit),
            request_id=need.client_id,
            at=at or visit.at,
        )
        heard.create(visit=visit, client_id=need.client_id, case=case)
        known.add(need.client_id)


def _worker_of(need: NeedFacts, visit: Visit) -> Worker | None:
    """Whose need it is: one of the people met, or nobody who wants to be named."""
    if need.worker is None:
        return None
    found: Worker | None = (
        Worker.objects.with_scopes_disabled()
        .filter(public_id=need.worker, met_at__visit=visit)
        .select_related("union", "user")
        .first()
    )
    if found is None:
        raise RuleBroken.at("needs", str(need.worker), _("Name among the people met whose need it is."), "unknown")
    return found
