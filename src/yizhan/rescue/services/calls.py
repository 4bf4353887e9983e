"""What the rider does: call, move the mark, add a photo, write, call off, confirm, open again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yizhan.places.pictures import clean_picture
from yizhan.rescue import reasons
from yizhan.rescue.facts import CallFacts, position_rule
from yizhan.rescue.models import (
    OVER_STATES,
    By,
    CallEventKind,
    CallMessage,
    CallPhoto,
    CallState,
    Problem,
    RescueCall,
    Rescuer,
)
from yizhan.rescue.rights import DISPATCH
from yizhan.rescue.territory import union_at
from yizhan.rescue.throttle import count_call
from yizhan.rescue.tokens import digest, token_for
from yizhan.unions import errors
from yizhan.unions.encryption import blind_index
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Worker
from yizhan.unions.personal_data import normal_phone
from yizhan.unions.services.inbox import send

from . import subsidies
from .announcing import announce
from .log import NotNow, check, clean_words, close_offers, database_now, locked, release, step

THERE_WITHIN: Final = timedelta(minutes=20)  # by when someone should be there
MOST_PHOTOS: Final = 6
MOST_MESSAGES: Final = 200
REOPEN_WITHIN: Final = timedelta(days=3)
WAKE: Final = "rescue_dispatch"  # the channel on which the dispatcher listens


class OpenAlready(RuleBroken):
    """Whoever calls has a call open.

    Attributes:
        call: That call: shown only to whoever is signed in as its worker.
    """

    def __init__(self, call: RescueCall) -> None:
        super().__init__(
            errors.Problem(
                "contact_phone",
                call.masked_phone,
                _("This number has a call open already: follow that one, or call it off first."),
                "open_already",
            )
        )
        self.call = call


def wake_dispatcher() -> None:
    """Let the dispatcher look at once, when this transaction is committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [WAKE])


def submit_call(
    facts: CallFacts,
    *,
    request_id: UUID,
    worker: Worker | None = None,
    photo: bytes | None = None,
    address: str | None = None,
) -> RescueCall:
    """Take a call for help.

    Idempotent in `request_id`: a repeated request gives the first call unchanged, before anything else is looked at. A
    refusal does not burn the id.

    Args:
        facts: What is the matter, and where.
        request_id: Made by the caller's phone; it leads to the secret of the live page.
        worker: Who calls, when signed in: then no number need be given.
        photo: An image file as it came.
        address: The network address, for the throttle alone.

    Raises:
        OpenAlready: the same person has a call open.
        TooMany: too many calls from this client.
        RuleBroken: with every broken rule.
    """
    if earlier := with_request(request_id):
        return earlier
    words, name, phone = _checked(facts, worker)
    picture = clean_picture(photo).content if photo else None
    union = union_at(facts.lon, facts.lat, worker=worker)
    if other := _open_call(worker, phone):
        if other.request_id == request_id:  # it came in between
            return other
        raise OpenAlready(other)
    count_call(address, phone)
    try:
        with transaction.atomic():
            at = database_now()
            call = RescueCall(
                request_id=request_id,
                token_digest=digest(token_for(request_id)),
                worker=worker,
                contact_name=name,
                contact_phone=phone,
                union=union,
                problem=facts.problem,
                is_injured=facts.is_injured,
                words=words,
                lon=facts.lon,
                lat=facts.lat,
                accuracy_m=facts.accuracy_m,
                called_at=facts.called_at,
                received_at=at,
                waiting_since=at,
                due_at=at + THERE_WITHIN,
            )
            step(call, CallEventKind.SUBMITTED, by=By.RIDER, at=at, position=(facts.lon, facts.lat))
            if picture:
                _keep_photo(call, picture, by=By.RIDER, request_id=request_id, at=at)
            if call.problem == Problem.ACCIDENT and call.is_injured:
                tell_desk(call, gettext_lazy("Accident with someone hurt: a rider calls for help."))
            wake_dispatcher()
            return call
    except IntegrityError:  # the same request, or another of the same person, at this very moment
        if earlier := with_request(request_id):
            return earlier
        if other := _open_call(worker, phone):
            raise OpenAlready(other) from None
        raise


def _checked(facts: CallFacts, worker: Worker | None) -> tuple[str, str, str | None]:
    """Words, name and number as they may be kept."""
    problems = facts.problems()
    words, name, phone = "", "", None
    try:
        words = clean_words(facts.words)
        name = " ".join(clean_words(facts.contact_name, field="contact_name", longest=40).split())
        if facts.contact_phone:
            phone = normal_phone(facts.contact_phone, field="contact_phone")
    except RuleBroken as broken:
        problems += broken.problems
    if worker is not None:
        phone = phone or worker.user.phone
        name = name or worker.user.name
    if phone is None and not facts.contact_phone:
        problems.append(
            errors.Problem("contact_phone", "", _("Leave a telephone number: the rescuer rings you."), "missing")
        )
    if problems:
        raise RuleBroken(problems)
    return words, name, phone


def with_request(request_id: UUID) -> RescueCall | None:
    """The call that came with a request id."""
    found: RescueCall | None = (
        RescueCall.objects.with_scopes_disabled()
        .filter(request_id=request_id)
        .select_related("union", "worker__user")
        .first()
    )
    return found


def _open_call(worker: Worker | None, phone: str | None) -> RescueCall | None:
    whose = Q()
    if worker is not None:
        whose |= Q(worker=worker)
    if phone:
        whose |= Q(contact_phone_index=blind_index("contact_phone", phone))
    open_calls = RescueCall.objects.with_scopes_disabled().exclude(state__in=OVER_STATES)
    found: RescueCall | None = open_calls.filter(whose).select_related("union").first() if whose else None
    return found


def tell_desk(call: RescueCall, title: object) -> None:
    """Put a message into the inbox of those who dispatch for the call's union."""
    send(title=title, link=call.get_absolute_url(), union=call.union, right=DISPATCH)


@transaction.atomic
def move_call(call: RescueCall, *, lon: float, lat: float, by: By = By.RIDER, post: Staff | None = None) -> RescueCall:
    """Put the mark somewhere else. Who is on the way sees the new position.

    Raises:
        NotNow: someone is there already, or it is over.
        RuleBroken: no such position.
    """
    if broken := position_rule(lon, lat):
        raise RuleBroken(broken)
    current = locked(call)
    if (current.lon, current.lat) == (lon, lat):
        return current
    step(current, CallEventKind.MOVED, by=by, at=database_now(), post=post, position=(lon, lat), lon=lon, lat=lat)
    wake_dispatcher()
    return current


@transaction.atomic
def cancel_call(call: RescueCall, *, words: str = "", by: By = By.RIDER, post: Staff | None = None) -> RescueCall:
    """Call it off: open offers are taken back, whoever is on the way is told by their page.

    Repeated, it changes nothing.

    Raises:
        NotNow: it is over in another way.
    """
    said = clean_words(words)
    current = locked(call)
    if current.state == CallState.CANCELLED:
        return current
    at = database_now()
    step(current, CallEventKind.CANCELLED, by=by, at=at, post=post, rescuer=current.rescuer, words=said, closed_at=at)
    close_offers(current, at)
    release(current, at)
    return current


def may_say_nobody_came(call: RescueCall, at: datetime) -> bool:
    """Whether the rider can say so: someone is later than promised, or is said to have arrived."""
    return call.is_held and (call.state == CallState.ARRIVED or at > call.due_at)


@transaction.atomic
def say_nobody_came(call: RescueCall, *, words: str = "", by: By = By.RIDER, post: Staff | None = None) -> RescueCall:
    """Whoever took the call is not there, whatever their page says: another is asked, and the duty desk is told.

    The desk can say so at any time, the rider as in `may_say_nobody_came`.

    Raises:
        NotNow: nobody holds the call.
        RuleBroken: it is too early to say so.
    """
    said = clean_words(words)
    current = locked(call)
    check(current, CallEventKind.NOT_COME)
    at = database_now()
    if by == By.RIDER and not may_say_nobody_came(current, at):
        raise RuleBroken.at(
            "step", "not_come", _("Someone is on the way and not late yet; write to them or ring them."), "too_early"
        )
    step(
        current, CallEventKind.NOT_COME, by=by, at=at, post=post, rescuer=current.rescuer, words=said,
        waiting_since=at, accepted_at=None, arrived_at=None, misses=current.misses + 1,
    )  # fmt: skip
    release(current, at)
    tell_desk(current, gettext_lazy("A rescuer who took a call did not come: see who goes."))
    wake_dispatcher()
    return current


@transaction.atomic
def confirm_done(
    call: RescueCall, *, stars: int | None = None, words: str = "", by: By = By.RIDER, post: Staff | None = None
) -> RescueCall:
    """The rider says that it is mended, with one to five stars; or says so to the desk by telephone.

    Repeated, it changes nothing.

    Args:
        by: The desk, when it rang the rider; it then says how it knows.

    Raises:
        NotNow: nobody has said yet that it is mended.
        RuleBroken: stars out of range, too many words; the desk gives none.
    """
    said = clean_words(words)
    if by == By.DESK and not said:
        raise RuleBroken.at("words", "", _("Say who told you, and when: it stands for the rider's word."), "missing")
    if stars is not None and not 1 <= stars <= 5:
        raise RuleBroken.at("stars", stars, _("Give one to five stars."), "out_of_range")
    current = locked(call)
    if current.state == CallState.CONFIRMED:
        return current
    at = database_now()
    verdict = said if by == By.RIDER else ""
    step(
        current, CallEventKind.CONFIRMED, by=by, at=at, post=post, words=said, stars=stars, verdict=verdict,
        closed_at=at,
    )  # fmt: skip
    subsidies.confirmed(current, at)
    return current


@transaction.atomic
def reopen_call(call: RescueCall, *, words: str = "", by: By = By.RIDER, post: Staff | None = None) -> RescueCall:
    """It is not mended, or nobody came: someone is looked for again, whoever was asked before included.

    Raises:
        NotNow: it is still open, or was called off.
        RuleBroken: it is over for too long, or the same person has another call open.
    """
    said = clean_words(words)
    current = locked(call)
    check(current, CallEventKind.REOPENED)
    at = database_now()
    ended = current.closed_at or current.done_at or current.received_at
    if at - ended > REOPEN_WITHIN:
        raise RuleBroken.at(
            "step",
            "reopened",
            _("This was over more than %(days)d days ago: make a new call.") % {"days": REOPEN_WITHIN.days},
            "too_late",
        )
    subsidies.drop(current, at, reasons.OPENED_AGAIN)
    release(current, at)
    try:
        with transaction.atomic():
            step(
                current,
                CallEventKind.REOPENED,
                by=by,
                at=at,
                post=post,
                words=said,
                attempt=current.attempt + 1,
                misses=0,
                times_reopened=current.times_reopened + 1,
                waiting_since=at,
                due_at=at + THERE_WITHIN,
                closed_at=None,
                done_at=None,
                arrived_at=None,
                accepted_at=None,
                escalated_at=None,
            )
    except IntegrityError:
        raise RuleBroken.at(
            "step", "reopened", _("There is another call open of the same person."), "open_already"
        ) from (None)
    wake_dispatcher()
    return current


@transaction.atomic
def add_photo(call: RescueCall, photo: bytes, *, request_id: UUID, by: By) -> CallPhoto:
    """Keep a picture. Idempotent in `request_id`.

    Raises:
        RuleBroken: no readable picture, or too many.
    """
    if earlier := CallPhoto.objects.with_scopes_disabled().filter(request_id=request_id, call=call).first():
        return earlier  # type: ignore[no-any-return]
    picture = clean_picture(photo).content
    current = locked(call)
    if CallPhoto.objects.with_scopes_disabled().filter(call=current).count() >= MOST_PHOTOS:
        raise RuleBroken.at("photo", "", _("A call holds at most %(n)d photos.") % {"n": MOST_PHOTOS}, "too_many")
    return _keep_photo(current, picture, by=by, request_id=request_id, at=database_now())


def _keep_photo(call: RescueCall, picture: bytes, *, by: By, request_id: UUID, at: datetime) -> CallPhoto:
    kept = CallPhoto(call=call, by=by, request_id=request_id, at=at)
    kept.file.save(f"{kept.public_id.hex}.jpg", ContentFile(picture), save=False)
    kept.save(force_insert=True)
    return kept


@transaction.atomic
def say(
    call: RescueCall,
    text: str,
    *,
    request_id: UUID,
    by: By,
    post: Staff | None = None,
    rescuer: Rescuer | None = None,
) -> CallMessage:
    """Write to the others of a call. Idempotent in `request_id`.

    Raises:
        RuleBroken: nothing was written, too much, or the call is long over.
    """
    if earlier := CallMessage.objects.with_scopes_disabled().filter(request_id=request_id, call=call).first():
        return earlier  # type: ignore[no-any-return]
    said = clean_words(text, field="text")
    if not said:
        raise RuleBroken.at("text", "", _("Write something first."), "missing")
    current = locked(call)
    if rescuer is not None and current.rescuer_id != rescuer.pk:
        raise NotNow(current, CallEventKind.ACCEPTED)
    if CallMessage.objects.with_scopes_disabled().filter(call=current).count() >= MOST_MESSAGES:
        raise RuleBroken.at("text", "", _("Too many messages; please telephone."), "too_many")
    message: CallMessage = CallMessage.objects.create(
        call=current, by=by, post=post, text=said, at=database_now(), request_id=request_id
    )
    announce(current)
    return message


@transaction.atomic
def say_unsafe(
    call: RescueCall, *, by: By, words: str = "", post: Staff | None = None, rescuer: Rescuer | None = None
) -> RescueCall:
    """The place is unsafe (a fast road, a bridge): nobody is sent there; the rider is told to move and ring 122.

    The duty desk is called. Whoever held the call is free again.

    Raises:
        NotNow: it is over, or known already.
    """
    said = clean_words(words)
    current = locked(call)
    if current.state == CallState.UNSAFE:
        return current
    if rescuer is not None and current.rescuer_id != rescuer.pk:
        raise NotNow(current, CallEventKind.UNSAFE)
    at = database_now()
    step(current, CallEventKind.UNSAFE, by=by, at=at, post=post, rescuer=current.rescuer, words=said)
    close_offers(current, at)
    release(current, at)
    tell_desk(current, gettext_lazy("A rider stands in an unsafe place: ring them."))
    return current


@transaction.atomic
def say_safe(call: RescueCall, *, by: By, words: str = "", post: Staff | None = None) -> RescueCall:
    """The rider has moved, or it is safe now: someone is looked for again.

    Raises:
        NotNow: it was not said to be unsafe.
    """
    said = clean_words(words)
    current = locked(call)
    at = database_now()
    step(
        current, CallEventKind.SAFE, by=by, at=at, post=post, words=said, waiting_since=at, attempt=current.attempt + 1
    )
    wake_dispatcher()
    return current
