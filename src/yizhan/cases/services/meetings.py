"""协商: preparing a consultation, writing down what it agreed, and following that to the end."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.cases import wish_actions as actions
from yizhan.cases.models import (
    AgendaItem,
    Case,
    FollowUp,
    ItemOutcome,
    Meeting,
    MeetingParty,
    MeetingState,
    PartySide,
    Task,
    TaskState,
)
from yizhan.cases.queries.visible import visible_cases
from yizhan.cases.wish_rights import CHANGE_MEETINGS
from yizhan.places.rules import one_line
from yizhan.unions.audit import record
from yizhan.unions.errors import Problem, RuleBroken
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import policy

from . import ledger
from .log import Actor, clean_words, needed_words

CONSULTATION: Final = "consultation"
LIST_NAME: Final = "协商跟进清单"


@transaction.atomic
def plan_meeting(
    *,
    union: Union,
    title: str,
    starts_at: datetime,
    where: str,
    actor: Actor,
    chair: Staff | None = None,
    meeting: Meeting | None = None,
    seen: int | None = None,
) -> Meeting:
    """Plan a consultation of a union, or change one that is planned.

    Raises:
        NotAllowed: the actor prepares none there.
        RuleBroken: no title or place, a chair of another union, or someone changed it meanwhile.
    """
    policy.require(actor, CHANGE_MEETINGS, union)
    problems = []
    heading, place = one_line(title)[:120], one_line(where)[:120]
    if not heading:
        problems.append(Problem("title", "", _("Give it a title."), "missing"))
    if not place:
        problems.append(Problem("where", "", _("Say where it is held."), "missing"))
    if chair is not None and not (chair.is_active and chair.union.path.startswith(union.path)):
        problems.append(Problem("chair", str(chair.user), _("Choose someone of your union."), "elsewhere"))
    if problems:
        raise RuleBroken(problems)
    current = _locked(meeting, actor, seen) if meeting is not None else Meeting(union=union)
    current.title, current.starts_at, current.where, current.chair = heading, starts_at, place, chair
    current.revision += meeting is not None
    current.save()
    record(actor, actions.MEETING_SAVED, union=union, target=current)
    return current


@transaction.atomic
def add_party(meeting: Meeting, *, side: str, body: str, person: str = "", actor: Actor) -> MeetingParty:
    """Someone who sits at the table. Raises NotAllowed, RuleBroken."""
    current = _locked(meeting, actor)
    said = one_line(body)[:80]
    if side not in PartySide.values:
        raise RuleBroken.at("side", side, _("Choose a side."), "unknown")
    if not said:
        raise RuleBroken.at("body", "", _("Say for whom they sit there."), "missing")
    party: MeetingParty
    party, _made = MeetingParty.objects.with_scopes_disabled().get_or_create(
        meeting=current, side=side, body=said, person=one_line(person)[:60]
    )
    record(actor, actions.MEETING_SAVED, union=current.union, target=current)
    return party


@transaction.atomic
def remove_party(meeting: Meeting, *, party: MeetingParty, actor: Actor) -> None:
    """Take someone off the list before the meeting is closed. Raises NotAllowed, RuleBroken."""
    current = _locked(meeting, actor)
    MeetingParty.objects.with_scopes_disabled().filter(meeting=current, pk=party.pk).delete()
    record(actor, actions.MEETING_SAVED, union=current.union, target=current)


@transaction.atomic
def add_item(
    meeting: Meeting, *, actor: Actor, case: Case | None = None, title: str = "", proposal: str = ""
) -> AgendaItem:
    """Put a matter on the agenda: a consultation case that the actor may see, or words.

    Raises:
        NotAllowed, RuleBroken: nothing is named, the case is none for consultation, or it stands there already.
    """
    current = _locked(meeting, actor)
    if case is not None:
        seen = visible_cases(actor).filter(pk=case.pk, kind=CONSULTATION, is_confidential=False)
        if not seen.exists() or not case.is_open:
            raise RuleBroken.at("case", case.number, _("Only open matters for consultation go on the agenda."), "kind")
    heading = one_line(title or (case.title if case else ""))[:120]
    if not heading:
        raise RuleBroken.at("title", "", _("Name the matter."), "missing")
    items = AgendaItem.objects.with_scopes_disabled().filter(meeting=current)
    number = (items.aggregate(highest=Max("number"))["highest"] or 0) + 1
    try:
        with transaction.atomic():
            item: AgendaItem = items.create(
                meeting=current,
                number=number,
                case=case,
                title=heading,
                proposal=clean_words(proposal, field="proposal"),
            )
    except IntegrityError:
        raise RuleBroken.at("case", heading, _("This is on the agenda already."), "taken") from None
    record(actor, actions.MEETING_ITEM, union=current.union, target=current)
    return item


@transaction.atomic
def decide_item(
    item: AgendaItem, *, actor: Actor, outcome: str, proposal: str = "", reply: str = "", result: str = ""
) -> AgendaItem:
    """Write down what was proposed, what the other side said, and what came of it.

    Raises:
        NotAllowed, RuleBroken: an unknown outcome, or something is agreed without saying what.
    """
    meeting = _locked(item.meeting, actor)
    if outcome not in ItemOutcome.values:
        raise RuleBroken.at("outcome", outcome, _("Choose an outcome."), "unknown")
    said = clean_words(result, field="result")
    if outcome in {ItemOutcome.AGREED, ItemOutcome.PARTLY}:
        said = needed_words(result, _("Say what was agreed."), field="result")
    item.outcome, item.result = outcome, said
    item.proposal, item.reply = clean_words(proposal, field="proposal"), clean_words(reply, field="reply")
    item.save(update_fields=["outcome", "result", "proposal", "reply"])
    record(actor, actions.MEETING_ITEM, union=meeting.union, target=meeting, details={"outcome": outcome})
    return item


@transaction.atomic
def record_agreement(meeting: Meeting, *, text: str, agreed_on: date, actor: Actor, seen: int | None = None) -> Meeting:
    """Write down the agreement, word by word; the consultation counts as held.

    Raises:
        NotAllowed, RuleBroken: no text, a day to come, items that nobody decided, or someone changed it meanwhile.
    """
    said = clean_words(text, field="text", longest=10_000)
    if not said:
        raise RuleBroken.at("text", "", _("Write down what was agreed."), "missing")
    current = _locked(meeting, actor, seen)
    if agreed_on > timezone.localdate():
        raise RuleBroken.at("agreed_on", agreed_on.isoformat(), _("This day is still to come."), "future")
    if AgendaItem.objects.with_scopes_disabled().filter(meeting=current, outcome=ItemOutcome.OPEN).exists():
        raise RuleBroken.at("text", "", _("First write down what came of every item."), "open_items")
    current.agreement, current.agreed_on, current.state = said, agreed_on, MeetingState.HELD
    current.revision += 1
    current.save(update_fields=["agreement", "agreed_on", "state", "revision"])
    record(actor, actions.MEETING_AGREED, union=current.union, target=current)
    return current


@transaction.atomic
def follow_up(
    item: AgendaItem, *, title: str, actor: Actor, responsible: Staff | None = None, deadline: date | None = None
) -> Task:
    """Make a task of the union's ledger from what was agreed; it goes its way there, down the levels and to the end.

    Raises:
        NotAllowed, RuleBroken: the item came to nothing, or the ledger refuses the task.
    """
    meeting = _locked(item.meeting, actor)
    if item.outcome not in {ItemOutcome.AGREED, ItemOutcome.PARTLY}:
        raise RuleBroken.at("title", title[:40], _("Nothing was agreed here that could be followed."), "state")
    if meeting.project is None:
        name = f"{meeting.title}{timezone.localdate(meeting.starts_at):%Y%m%d}"[:110]
        meeting.project = ledger.make_project(actor=actor, union=meeting.union, name=f"{name} #{meeting.pk}")
        meeting.save(update_fields=["project"])
    task_list = ledger.make_list(actor=actor, project=meeting.project, name=LIST_NAME)
    facts = ledger.TaskFacts(title=title, measure=item.result[:300], deadline=deadline, responsible=responsible)
    task = ledger.make_task(actor=actor, task_list=task_list, facts=facts)
    FollowUp.objects.with_scopes_disabled().create(item=item, task=task)
    record(actor, actions.MEETING_FOLLOWED, union=meeting.union, target=meeting)
    return task


@transaction.atomic
def close_meeting(meeting: Meeting, *, actor: Actor, called_off: bool = False) -> Meeting:
    """Close a consultation whose tasks are all done or called off; or call off one that was not held.

    Raises:
        NotAllowed, RuleBroken: tasks are open (`open_tasks`), or it is not at that point.
    """
    current = _locked(meeting, actor)
    if called_off:
        if current.state != MeetingState.PLANNED:
            raise RuleBroken.at("state", current.state, _("It was held already."), "state")
        current.state = MeetingState.CANCELLED
    else:
        if current.state != MeetingState.HELD:
            raise RuleBroken.at("state", current.state, _("It was not held yet."), "state")
        open_tasks = Task.objects.with_scopes_disabled().filter(
            follows_from__item__meeting=current, state=TaskState.OPEN
        )
        if left := open_tasks.exclude(target__isnull=False, done_count__gte=F("target")).count():
            rule = _("%(n)d tasks that follow from it are not done yet.") % {"n": left}
            raise RuleBroken.at("state", left, rule, "open_tasks")
        current.state = MeetingState.CLOSED
    current.save(update_fields=["state"])
    record(actor, actions.MEETING_CLOSED, union=current.union, target=current, details={"state": current.state})
    return current


def _locked(meeting: Meeting, actor: Actor, seen: int | None = None) -> Meeting:
    current: Meeting = (
        Meeting.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("union", "project__union")
        .get(pk=meeting.pk)
    )
    policy.require(actor, CHANGE_MEETINGS, current.union)
    if current.state in {MeetingState.CLOSED, MeetingState.CANCELLED}:
        raise RuleBroken.at("state", current.state, _("This consultation is over."), "closed")
    if seen is not None and seen != current.revision:
        rule = _("Someone changed this consultation meanwhile; look at it again.")
        raise RuleBroken.at("seen", seen, rule, "changed_meanwhile")
    return current
