"""Between a worker and those who see to their confidential case: messages, and appointments at a station.

Nothing of it is seen outside of the case's circle. The caller has shown who asks on the worker's side.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from yizhan.cases import wish_actions as actions
from yizhan.cases.circle import in_circle
from yizhan.cases.models import Appointment, AppointmentState, Case, CaseMessage, Helper
from yizhan.cases.queries.counsel import helpers_for, slots_of
from yizhan.cases.rights import HANDLE_CASES
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import NotAllowed, policy

from .log import clean_words, locked, needed_words
from .notices import tell_handlers, tell_posts, words_for

MOST_MESSAGES: Final = 1_000  # of one case
LATEST_BOOKING: Final = timedelta(minutes=30)  # before it begins
REMINDED_BEFORE: Final = timedelta(hours=24)


@transaction.atomic
def write_message(
    case: Case, *, text: str, request_id: UUID, actor: Staff | None = None, at: datetime | None = None
) -> CaseMessage:
    """Write a message; the other side is told that there is one. Idempotent in `request_id`.

    Args:
        actor: The post; None when the worker writes, whom the caller has recognised.

    Raises:
        NotAllowed: the post is not of the case's circle.
        RuleBroken: nothing is said, the case is over or not confidential, or the id was used elsewhere.
    """
    said = needed_words(text, _("Write something."), field="text")
    current = locked(case)
    if actor is not None:
        require_circle(actor, current)
    sent = CaseMessage.objects.with_scopes_disabled().filter(request_id=request_id)
    earlier: CaseMessage | None = sent.filter(case=current, post=actor).first()
    if earlier is not None:
        return earlier
    if not current.is_confidential:
        raise RuleBroken.at("case", current.number, _("Only confidential cases have messages."), "plain")
    if not current.is_open:
        raise RuleBroken.at("case", current.number, _("This case is over; nothing more is written in it."), "state")
    if CaseMessage.objects.with_scopes_disabled().filter(case=current).count() >= MOST_MESSAGES:
        raise RuleBroken.at("text", "", _("A case holds at most %(n)d messages.") % {"n": MOST_MESSAGES}, "too_many")
    try:
        with transaction.atomic():
            message: CaseMessage = CaseMessage.objects.with_scopes_disabled().create(
                case=current, post=actor, text=said, at=at or timezone.now(), request_id=request_id
            )
    except IntegrityError:
        raise RuleBroken.at("request_id", str(request_id), _("This was sent already."), "taken") from None
    if actor is None:
        tell_handlers(current, words_for(gettext_noop("The worker wrote a message.")))
    else:
        record(actor, actions.MESSAGE_WRITTEN, union=current.union, target=current)
        waiting = CaseMessage.objects.with_scopes_disabled().filter(case=current, post__isnull=False, read_at=None)
        if waiting.count() == 1:  # the worker hears of the first one that waits, not of each
            _text_later(current, "message")
    return message


@transaction.atomic
def read_messages(case: Case, *, reader: Staff | None = None) -> list[CaseMessage]:
    """The thread, oldest first; what the other side wrote counts as read from now on, and that a post read is recorded.

    Raises:
        NotAllowed: the post is not of the case's circle.
    """
    if reader is not None:
        require_circle(reader, case)
        record(reader, actions.MESSAGES_READ, union=case.union, target=case)
    thread = CaseMessage.objects.with_scopes_disabled().filter(case=case)
    theirs = thread.filter(post=None) if reader is not None else thread.filter(post__isnull=False)
    theirs.filter(read_at=None).update(read_at=timezone.now())
    return list(thread.select_related("post__user").order_by("at", "pk"))


@transaction.atomic
def book_appointment(
    case: Case,
    *,
    helper: Helper,
    starts_at: datetime,
    actor: Staff | None = None,
    words: str = "",
    at: datetime | None = None,
) -> Appointment:
    """Promise a slot of a helper's duty at a station. The same slot again for the same case: the same appointment.

    Raises:
        NotAllowed: the post is not of the case's circle.
        RuleBroken: the case is over or has an appointment ahead, or the slot is none, too near, or taken.
    """
    now = at or timezone.now()
    current = locked(case)
    if actor is not None:
        require_circle(actor, current)
    booked = Appointment.objects.with_scopes_disabled().filter(case=current, state=AppointmentState.BOOKED)
    ahead: Appointment | None = booked.select_related("helper__post__user", "place").first()
    if ahead is not None and ahead.helper_id == helper.pk and ahead.starts_at == starts_at:
        return ahead
    if not current.is_open or not current.is_confidential:
        raise RuleBroken.at("case", current.number, _("This case takes no appointments."), "state")
    if ahead is not None:
        raise RuleBroken.at("slot", "", _("There is an appointment already; cancel that first."), "one_ahead")
    if not helpers_for(current).filter(pk=helper.pk).exists():
        raise RuleBroken.at("helper", str(helper), _("They do not see to cases like this one here."), "elsewhere")
    # Whoever books with this helper waits here: slots of changed duty hours may overlap without being equal.
    held: Helper = (
        Helper.rules.select_for_update(of=("self",))
        .select_related("place", "post__union", "post__user")
        .get(pk=helper.pk)
    )
    slot = next((one for one in slots_of(held, since=now + LATEST_BOOKING) if one.starts_at == starts_at), None)
    if slot is None or held.place is None:
        raise RuleBroken.at(
            "slot", starts_at.isoformat(), _("This time is taken or not on duty; choose another."), "taken"
        )
    try:
        with transaction.atomic():
            made: Appointment = Appointment.objects.with_scopes_disabled().create(
                case=current,
                helper=held,
                place=held.place,
                starts_at=slot.starts_at,
                ends_at=slot.ends_at,
                booked_by=actor,
                booked_at=now,
                words=clean_words(words, longest=300),
            )
    except IntegrityError:
        raise RuleBroken.at(
            "slot", starts_at.isoformat(), _("Someone was faster; choose another time."), "taken"
        ) from None
    record(actor or _user(current), actions.APPOINTMENT_BOOKED, union=current.union, target=current)
    _tell(made, gettext_noop("An appointment on %(when)s was booked with you."))
    return made


@transaction.atomic
def end_appointment(
    appointment: Appointment,
    *,
    state: AppointmentState,
    actor: Staff | None = None,
    at: datetime | None = None,
) -> Appointment:
    """Cancel an appointment, or say whether it took place. The worker can only cancel, and before it begins.

    Raises:
        NotAllowed: the post is not of the case's circle.
        RuleBroken: it is over already, or it is too early or too late to say so.
    """
    now = at or timezone.now()
    locked(appointment.case)
    current: Appointment = (
        Appointment.objects.with_scopes_disabled()
        .select_for_update(of=("self",))
        .select_related("case__union", "case__worker__user", "helper__post__user", "helper__post__union", "place")
        .get(pk=appointment.pk)
    )
    if actor is not None:
        require_circle(actor, current.case)
    if current.state == state:
        return current
    begun = current.starts_at <= now
    if current.state != AppointmentState.BOOKED or state == AppointmentState.BOOKED:
        raise RuleBroken.at("state", current.state, _("This appointment is over."), "state")
    if actor is None and (state != AppointmentState.CANCELLED or begun):
        raise RuleBroken.at("state", current.state, _("It has begun; tell the helper."), "late")
    if state != AppointmentState.CANCELLED and not begun:
        raise RuleBroken.at("state", current.state, _("It has not begun yet."), "early")
    current.state, current.ended_at = state, now
    current.save(update_fields=["state", "ended_at"])
    details = {"outcome": str(state)}
    who = actor or _user(current.case)
    record(who, actions.APPOINTMENT_ENDED, union=current.case.union, target=current.case, details=details)
    if state == AppointmentState.CANCELLED and (actor is None or actor.pk != current.helper.post_id):
        _tell(current, gettext_noop("The appointment on %(when)s was cancelled."))
    return current


def remind_of_appointments(*, at: datetime | None = None) -> int:
    """Remind helper and worker of appointments within a day, once; gives how many. Harmless twice."""
    now = at or timezone.now()
    ahead = Appointment.objects.with_scopes_disabled().filter(
        state=AppointmentState.BOOKED, reminded_at=None, starts_at__gt=now, starts_at__lte=now + REMINDED_BEFORE
    )
    told = 0
    for pk in list(ahead.values_list("pk", flat=True)):
        with transaction.atomic():
            rows = Appointment.objects.with_scopes_disabled().filter(pk=pk, reminded_at=None)
            if not rows.filter(state=AppointmentState.BOOKED).update(reminded_at=now):
                continue
            found = rows.model.objects.with_scopes_disabled().select_related(
                "case__union", "case__handler", "helper__post__user", "helper__post__union", "place"
            )
            appointment = found.get(pk=pk)
            _tell(appointment, gettext_noop("Reminder: an appointment on %(when)s."))
            _text_later(appointment.case, "appointment")
            told += 1
    return told


def require_circle(actor: Staff, case: Case) -> None:
    """Raise NotAllowed unless the post is of the case's circle and handles cases."""
    if not policy.holds(actor, HANDLE_CASES) or not in_circle(actor, case):
        raise NotAllowed(HANDLE_CASES, case.union)


def _tell(appointment: Appointment, message: str) -> None:
    when = timezone.localtime(appointment.starts_at).strftime("%Y-%m-%d %H:%M")
    posts = {appointment.helper.post}
    if appointment.case.handler is not None:
        posts.add(appointment.case.handler)
    tell_posts(appointment.case, words_for(message, when=when), posts)


def _text_later(case: Case, news: str) -> None:
    from yizhan.cases.tasks import text_news  # a task imports services

    # The job is a row of this transaction: it leaves with what it tells of, or not at all.
    text_news.defer(case_id=case.pk, news=news)


def _user(case: Case) -> Any:
    return case.worker.user if case.worker else None
