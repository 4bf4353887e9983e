"""What may happen to a report: told by anyone, answered by the keeper, judged by the reporter, verified by the union.

All acts on one place's reports wait for one another at the row of the place, so that two at once see each other.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.places.actions import REPORT_ANSWERED, REPORT_VERIFIED
from yizhan.places.models import (
    EventKind,
    Place,
    Report,
    ReportEvent,
    ReportKind,
    ReportPhoto,
    ReportReceipt,
    ReportState,
)
from yizhan.places.models.reports import UNANSWERED
from yizhan.places.pictures import clean_picture
from yizhan.places.reports.deadlines import end_of
from yizhan.places.reports.life import Life
from yizhan.places.reports.receipts import digest, is_first, may_take_back, token_of
from yizhan.places.reports.rules import MOST_PROMISES, REOPEN_DAYS, rules_of
from yizhan.places.reports.throttle import count_report
from yizhan.places.rights import ANSWER_REPORTS, VERIFY_REPORTS
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import Operator, policy

from .report_log import (
    checked_words,
    keep_photo,
    life_now,
    locked_place,
    locked_report,
    note,
    tell_keepers,
    times_happened,
)
from .stars import recount_stars

MOST_PHOTOS = 3  # of one reporter
JUDGE_AFTER = timedelta(hours=1)  # before, nobody is asked whether it is fixed


def report_fault(
    place: Place,
    *,
    kind: str,
    request_id: UUID,
    words: str = "",
    photo: bytes | None = None,
    address: str | None = None,
    at: datetime | None = None,
) -> ReportReceipt:
    """Take down that someone says what is wrong at a place. Anyone may; nobody has to say who they are.

    Idempotent in `request_id` and `kind`: a repeated request gives the first receipt unchanged, before anything else is
    looked at. Who reports what is open already, or was answered within the last days, joins that report; the latter
    reopens it.

    Args:
        place: A published place.
        kind: One of `ReportKind`.
        request_id: Made by the reporter's device.
        words: At most 500 characters; needed for `other`.
        photo: An image file as it came; nothing but its picture is kept.
        address: The network address, for the throttle alone; it is not stored.
        at: The time, for samples and tests.

    Raises:
        TooMany: too many reports from this client or about this place.
        RuleBroken: unknown kind, words missing or too long, no readable picture, or the place is not published.
    """
    if earlier := _counted(request_id, kind):
        return earlier
    if kind not in ReportKind.values:
        raise RuleBroken.at(
            "kind", str(kind)[:40], _("Choose one of: %(kinds)s.") % {"kinds": ", ".join(ReportKind.values)}, "unknown"
        )
    said = checked_words(words, field="words")
    if kind == ReportKind.OTHER and not said:
        raise RuleBroken.at("words", "", _("Say in a few words what is wrong."), "missing")
    picture = clean_picture(photo).content if photo else None
    count_report(address, place.public_id)
    try:
        return _take_down(place, kind=kind, request_id=request_id, words=said, picture=picture, at=at)
    except IntegrityError:  # the same request at another place at this very moment
        if earlier := _counted(request_id, kind):
            return earlier
        raise


@transaction.atomic
def _take_down(
    place: Place, *, kind: str, request_id: UUID, words: str, picture: bytes | None, at: datetime | None
) -> ReportReceipt:
    current = locked_place(place.pk)
    if earlier := _counted(request_id, kind):
        return earlier
    if not current.is_public:
        raise RuleBroken.at("place", current.name, _("This place is not open to the public now."), "not_public")
    now = at or timezone.now()
    report = _one_to_join(current, kind, now)
    is_news = report is None or report.state not in UNANSWERED
    if report is None:
        report = Report.objects.with_scopes_disabled().create(place=current, kind=kind, opened_at=now)
    receipt = ReportReceipt(report=report, request_id=request_id, kind=kind, words=words, at=now)
    receipt.token_digest = digest(token_of(receipt))
    receipt.save()
    due_at = rules_of(current.union).due(kind, now) if is_news else None
    event = note(report, EventKind.REPORTED, at=now, due_at=due_at, receipt=receipt)
    if picture is not None:
        keep_photo(report, picture, receipt=receipt, event=event)
    if is_news:
        recount_stars(current, at=now)
        tell_keepers(report, words)
    return receipt


@transaction.atomic
def add_to_report(receipt: ReportReceipt, *, words: str = "", photo: bytes | None = None) -> ReportReceipt:
    """Let a reporter add words or a picture to what they reported with one tap.

    A picture that they sent already counts once: a network may have lost the answer.

    Raises:
        RuleBroken: nothing was given, words too long, words said already, too many or unreadable pictures, or the
            report is settled.
    """
    said = checked_words(words, field="words")
    if not said and not photo:
        raise RuleBroken.at("words", "", _("Write a few words or choose a photo."), "missing")
    picture = clean_picture(photo).content if photo else None
    _place, report = locked_report(receipt.report)
    current: ReportReceipt = ReportReceipt.objects.with_scopes_disabled().get(pk=receipt.pk)
    if report.state in {ReportState.SETTLED, ReportState.WITHDRAWN}:
        raise RuleBroken.at("words", "", _("This report is closed."), "closed")
    if said and current.words and said != current.words:
        said = checked_words(f"{current.words} {said}", field="words")
    if said:
        current.words = said
        current.save(update_fields=["words"])
    if picture is not None:
        kept = list(ReportPhoto.objects.with_scopes_disabled().filter(receipt=current))
        if any(photo.file.size == len(picture) and photo.file.read() == picture for photo in kept):
            return current
        if len(kept) >= MOST_PHOTOS:
            raise RuleBroken.at("photo", "", _("At most %(n)d photos.") % {"n": MOST_PHOTOS}, "too_many")
        keep_photo(report, picture, receipt=current)
    return current


@transaction.atomic
def answer_report(
    report: Report,
    *,
    answer: str,
    words: str,
    actor: Staff,
    until: date | None = None,
    photo: bytes | None = None,
    seen: int | None = None,
    at: datetime | None = None,
) -> Report:
    """Answer a report: fixed (with what was done), not a fault (with the reason), or promised (with reason and date).

    Args:
        report: What is answered.
        answer: `fixed`, `not_a_fault` or `promised`.
        words: For everyone who reported it; always needed.
        actor: Who answers.
        until: The last day of a promise, in Shanghai.
        photo: An image file as it came.
        seen: How many events the answering person has seen; refused when more happened since.
        at: The time, for samples and tests.

    Raises:
        NotAllowed: `actor` may not answer reports of this union.
        RuleBroken: nothing is owed, someone answered meanwhile, words or date missing or against the rules.
    """
    place, current = locked_report(report)
    policy.require(actor, ANSWER_REPORTS, place.union)
    life = life_now(current)
    if seen is not None and seen != times_happened(current):
        raise RuleBroken.at(
            "seen", seen, _("Something happened to this report meanwhile; look at it again."), "changed_meanwhile"
        )
    if answer not in {EventKind.FIXED, EventKind.NOT_A_FAULT, EventKind.PROMISED}:
        raise RuleBroken.at("answer", str(answer)[:40], _("Choose an answer."), "unknown")
    if not life.is_running:
        raise RuleBroken.at("answer", answer, _("This report has been answered already."), "answered")
    said = checked_words(words, field="words")
    if not said:
        raise RuleBroken.at(
            "words", "", _("Say what was done, or why; everyone who reported it reads this."), "missing"
        )
    now = at or timezone.now()
    due_at = _checked_promise(place, life, until, now) if answer == EventKind.PROMISED else None
    picture = clean_picture(photo).content if photo else None
    event = note(current, EventKind(answer), at=now, due_at=due_at, text=said, post=actor)
    if picture is not None:
        keep_photo(current, picture, event=event)
    record(
        actor,
        REPORT_ANSWERED,
        union=place.union,
        target=current,
        details={"answer": str(answer), "reason": said, **({"until": str(until)} if due_at else {})},
    )
    recount_stars(place, at=now, actor=actor)
    return current


@transaction.atomic
def judge_answer(receipt: ReportReceipt, *, fixed: bool, at: datetime | None = None) -> Report:
    """The reporter's verdict. “Not fixed” reopens; “fixed” settles when the first reporter says it.

    Only the first reporter's word settles: otherwise whoever owes the answer could join the report and settle it.
    Saying the same twice changes nothing.

    Raises:
        RuleBroken: there is no answer to judge, or the report is closed.
    """
    place, report = locked_report(receipt.report)
    life = life_now(report)
    now = at or timezone.now()
    if fixed:
        kind = EventKind.SAID_FIXED if is_first(receipt) else EventKind.ALSO_FIXED
        if life.state in {ReportState.SETTLED, ReportState.WITHDRAWN}:
            return report
        said = ReportEvent.objects.with_scopes_disabled().filter(report=report, receipt=receipt, kind=kind)
        if kind is EventKind.ALSO_FIXED and said.exists():
            return report
        note(report, kind, at=now, receipt=receipt)
        recount_stars(place, at=now)
        return report
    if life.is_running:
        return report  # it waits for an answer already
    if not life.may(EventKind.SAID_NOT_FIXED) or _open_twin(report):
        raise RuleBroken.at("fixed", "", _("This report is closed. If it is broken again, report it anew."), "closed")
    note(report, EventKind.SAID_NOT_FIXED, at=now, due_at=rules_of(place.union).due(report.kind, now), receipt=receipt)
    recount_stars(place, at=now)
    tell_keepers(report, _("The reporter says that it is not fixed."))
    return report


@transaction.atomic
def verify_report(report: Report, *, actor: Staff | Operator, words: str = "", at: datetime | None = None) -> Report:
    """The union has seen that the fault is gone: the report is settled and what it cost in stars comes back.

    Raises:
        NotAllowed: `actor` may not verify reports of this union.
        RuleBroken: there is no answer to verify, or it is the verifier's own.
    """
    place, current = locked_report(report)
    policy.require(actor, VERIFY_REPORTS, place.union)
    if not life_now(current).may(EventKind.VERIFIED):
        raise RuleBroken.at("state", current.state, _("There is no answer to verify."), "wrong_state")
    answers = ReportEvent.objects.with_scopes_disabled().filter(
        report=current, kind__in=[EventKind.FIXED, EventKind.NOT_A_FAULT]
    )
    last = answers.select_related("post").order_by("-at", "-pk").first()
    post = actor if isinstance(actor, Staff) else None
    if post is not None and last is not None and last.post is not None and last.post.user_id == post.user_id:
        raise RuleBroken.at("state", "", _("Someone else has to verify what you answered yourself."), "own_answer")
    now = at or timezone.now()
    said = checked_words(words, field="words")
    note(current, EventKind.VERIFIED, at=now, text=said, post=post)
    record(actor, REPORT_VERIFIED, union=place.union, target=current, details={"reason": said} if said else None)
    recount_stars(place, at=now, actor=actor)
    return current


@transaction.atomic
def take_back(receipt: ReportReceipt, *, at: datetime | None = None) -> Report:
    """Take back a tap that was a mistake: soon after, while nobody answered and nobody else reported the same.

    Raises:
        RuleBroken: it is too late for that.
    """
    _place, report = locked_report(receipt.report)
    now = at or timezone.now()
    life = life_now(report)
    if life.state == ReportState.WITHDRAWN:
        return report
    if not may_take_back(receipt, life, now):
        raise RuleBroken.at("report", "", _("This report can no longer be taken back."), "too_late")
    note(report, EventKind.WITHDRAWN, at=now, receipt=receipt)
    return report


def _one_to_join(place: Place, kind: str, now: datetime) -> Report | None:
    """The same fault, still open or answered a short while ago. “Something else” is never the same."""
    if kind == ReportKind.OTHER:
        return None
    reports = Report.objects.with_scopes_disabled().filter(place=place, kind=kind)
    found: Report | None = reports.filter(state__in=UNANSWERED).first()
    if found is None:
        answered = reports.filter(state__in=[ReportState.FIXED, ReportState.NOT_A_FAULT]).order_by("-opened_at").first()
        if answered is not None:
            since = life_now(answered).answered_at
            if since is not None and now - since < timedelta(days=REOPEN_DAYS):
                found = answered
    return found


def _open_twin(report: Report) -> bool:
    """Whether the same fault was reported anew, long after this report was answered."""
    if report.kind == ReportKind.OTHER:
        return False
    others = Report.objects.with_scopes_disabled().filter(place=report.place, kind=report.kind, state__in=UNANSWERED)
    found: bool = others.exclude(pk=report.pk).exists()
    return found


def _checked_promise(place: Place, life: Life, until: date | None, now: datetime) -> datetime:
    if until is None:
        raise RuleBroken.at("until", "", _("Say until which day."), "missing")
    if life.promises >= MOST_PROMISES:
        raise RuleBroken.at(
            "answer",
            "promised",
            _("More time can be asked for %(n)d times at most.") % {"n": MOST_PROMISES},
            "too_often",
        )
    due_at = end_of(until)
    if due_at <= now or (life.due_at is not None and due_at <= life.due_at):
        raise RuleBroken.at("until", str(until), _("The new day must be later than the present deadline."), "too_early")
    longest = rules_of(place.union).longest_delay_days
    if until > timezone.localdate(now) + timedelta(days=longest):
        raise RuleBroken.at("until", str(until), _("At most %(n)d days from today.") % {"n": longest}, "too_late")
    return due_at


def _counted(request_id: UUID, kind: str) -> ReportReceipt | None:
    found: ReportReceipt | None = (
        ReportReceipt.objects.with_scopes_disabled()
        .filter(request_id=request_id, kind=str(kind)[:20])
        .select_related("report__place__union")
        .first()
    )
    return found
