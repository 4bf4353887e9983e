"""The sample city's rescue: repair points on duty, mobile rescuers, past calls and two that wait.

What is past is written as the log would hold it, since services take only the present; all of it is simulated.
"""

from __future__ import annotations

import io
import random
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from PIL import Image, ImageDraw

from yizhan.benefits.models import Programme, ProgrammeKind
from yizhan.benefits.services.settlement import cut_off
from yizhan.places.models import Place, PlaceKind
from yizhan.unions.models import Staff, Union, User, Worker
from yizhan.unions.rights import OPERATOR

from .facts import CallFacts
from .models import (
    By,
    CallEvent,
    CallEventKind,
    CallPhoto,
    CallState,
    Problem,
    RescueCall,
    Rescuer,
    Subsidy,
)
from .services.calls import THERE_WITHIN, submit_call
from .services.duty import go_on_duty
from .services.log import database_now
from .services.rescuers import RescuerFacts, create_rescuer
from .services.subsidies import expect, pay
from .services.terms import SubsidyFacts, TermsFacts, create_subsidy
from .territory import union_at
from .tokens import digest, token_for

_MIDDLE: Final = (113.665, 34.757)  # of Zhengzhou
_NAMES: Final = (
    "李师傅（示例）",
    "马师傅（示例）",
    "孙师傅（示例）",
    "郭师傅（示例）",
    "何师傅（示例）",
    "韩师傅（示例）",
)
_PARTS: Final = ("内胎一条", "补胎胶片", "链条一根", "刹车线一根", "")
_PAST: Final = 60


def fill(union: Union, *, actor: Staff, seed: int) -> None:
    """Rescuers and calls for `union`; returns at once where there are some."""
    if Rescuer.objects.with_scopes_disabled().filter(union__path__startswith=union.path).exists():
        return
    chance = random.Random(seed)  # noqa: S311 - a sample, not a secret
    with transaction.atomic():
        fixed = _points(union, actor, chance)
        mobile = _people(union, actor, chance, [each.place for each in fixed if each.place])
        if fixed:
            _subsidise(union)
        _past(union, fixed + mobile, chance)
        _waiting(chance)
    with transaction.atomic():
        _pay_the_past(union)


def _subsidise(union: Union) -> None:
    """A hundred yuan a rescue, at most six hundred a day."""
    create_subsidy(
        SubsidyFacts(
            name="爱心修车救援补助（示例）",
            terms=TermsFacts(amount_fen=100_00),
            starts_on=timezone.localdate() - timedelta(days=60),
            quota_month=4,
            cap_fen=60_000_00,
            cap_month_fen=12_000_00,
            cap_day_fen=600_00,
        ),
        union=union,
        actor=OPERATOR,
    )


def _pay_the_past(union: Union) -> None:
    """Each as it was confirmed then; the last days' go on a statement, as the night would have put them there."""
    calls = RescueCall.objects.with_scopes_disabled().filter(union__path__startswith=union.path)
    for call in calls.filter(done_at__isnull=False).select_related("union", "rescuer").order_by("done_at"):
        expect(call, call.done_at)
        if call.state == CallState.CONFIRMED:
            for subsidy in Subsidy.objects.with_scopes_disabled().filter(call=call):
                pay(subsidy, at=call.closed_at)
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    if Programme.objects.with_scopes_disabled().filter(union=union, kind=ProgrammeKind.RESCUE).exists():
        cut_off(union, actor=OPERATOR, at=midnight)


def _picture() -> str:
    """One drawing for all past rescues: the stored name of a wheel."""
    image = Image.new("RGB", (640, 480), "#e9efe8")
    pen = ImageDraw.Draw(image)
    for radius, width, colour in ((180, 26, "#20302a"), (150, 6, "#8a9a92"), (24, 12, "#20302a")):
        pen.ellipse((320 - radius, 240 - radius, 320 + radius, 240 + radius), outline=colour, width=width)
    content = io.BytesIO()
    image.save(content, "JPEG", quality=80)
    return default_storage.save("rescue-photos/sample/wheel.jpg", ContentFile(content.getvalue()))


def _near(chance: random.Random) -> tuple[float, float]:
    return round(chance.gauss(_MIDDLE[0], 0.03), 6), round(chance.gauss(_MIDDLE[1], 0.02), 6)


def _points(union: Union, actor: Staff, chance: random.Random) -> list[Rescuer]:
    places = Place.objects.with_scopes_disabled().filter(
        union__path__startswith=union.path, kind=PlaceKind.REPAIR_POINT, status="published"
    )
    made = []
    for place in places.order_by("pk")[:5]:
        facts = RescuerFacts(
            name=place.name[:60], skills=list(Problem.values), vehicle="tricycle", spare_batteries=6, reach_m=4000,
            most_at_once=2,
        )  # fmt: skip
        rescuer = create_rescuer(facts, union=union, actor=actor, place=place)
        go_on_duty(rescuer)
        made.append(rescuer)
    return made


def _people(union: Union, actor: Staff, chance: random.Random, points: list[Place]) -> list[Rescuer]:
    made = []
    for number, name in enumerate(_NAMES, start=1):
        phone = f"+86139371{number:05d}"  # they sign in by code, as everyone does who works outdoors
        user = User.objects.create_user(name=name, phone=phone, phone_verified=True)
        lon, lat = _near(chance)
        skills = ["flat_tyre", "battery", *chance.sample(["chain", "brakes", "accident", "other"], 3)]
        facts = RescuerFacts(
            name=name, phone=phone, skills=skills, vehicle=chance.choice(("e_bike", "e_bike", "car")),
            spare_batteries=2, lon=lon, lat=lat, reach_m=6000, paid_at=points[number % len(points)] if points else None,
        )  # fmt: skip
        rescuer = create_rescuer(facts, union=union, actor=actor, user=user)
        if number > 1:
            go_on_duty(rescuer, position=(lon, lat))
        made.append(rescuer)
    return made


def _past(union: Union, rescuers: list[Rescuer], chance: random.Random) -> None:
    now = database_now()
    unions: dict[tuple[float, float], Union] = {}
    riders = list(
        Worker.objects.with_scopes_disabled()
        .filter(union__path__startswith=union.path)
        .select_related("user")
        .order_by("pk")[:40]
    )
    picture = _picture()
    for _number in range(_PAST):
        lon, lat = _near(chance)
        cell = (round(lon, 2), round(lat, 2))
        if cell not in unions:
            unions[cell] = union_at(lon, lat)
        received = now - timedelta(days=chance.uniform(0.2, 28), minutes=chance.uniform(0, 600))
        rider = chance.choice(riders) if riders and chance.random() < 0.9 else None
        call = _one(unions[cell], lon, lat, received, chance.choice(rescuers), rider, chance)
        if call.done_at is not None and chance.random() < 0.95:
            CallPhoto.objects.with_scopes_disabled().create(
                call=call, by=By.RESCUER, request_id=UUID(int=chance.getrandbits(128), version=4), file=picture,
                at=call.done_at,
            )  # fmt: skip


def _one(
    union: Union,
    lon: float,
    lat: float,
    received: datetime,
    rescuer: Rescuer,
    rider: Worker | None,
    chance: random.Random,
) -> RescueCall:
    def after(least: float, most: float) -> timedelta:
        return timedelta(minutes=chance.uniform(least, most))

    request_id = UUID(int=chance.getrandbits(128), version=4)
    outcome = chance.choices(
        (CallState.CONFIRMED, CallState.DONE, CallState.CANCELLED, CallState.NO_SHOW, CallState.FALSE_CALL),
        weights=(75, 8, 9, 5, 3),
    )[0]
    accepted = received + after(0.3, 3)
    arrived = accepted + after(5, 24)
    done = arrived + after(6, 25)
    came = outcome not in {CallState.CANCELLED, CallState.FALSE_CALL}
    mended = outcome in {CallState.CONFIRMED, CallState.DONE}
    steps: list[tuple[CallEventKind, datetime, By]] = [(CallEventKind.SUBMITTED, received, By.RIDER)]
    steps.append((CallEventKind.OFFERED, received + timedelta(seconds=1), By.SYSTEM))
    if came:
        steps += [
            (CallEventKind.ACCEPTED, accepted, By.RESCUER),
            (CallEventKind.ON_WAY, accepted + timedelta(seconds=40), By.RESCUER),
            (CallEventKind.ARRIVED, arrived, By.RESCUER),
        ]
    closed = done + after(0.5, 10)
    if mended:
        steps.append((CallEventKind.DONE, done, By.RESCUER))
    if outcome != CallState.DONE:
        by = {CallState.NO_SHOW: By.RESCUER, CallState.FALSE_CALL: By.DESK}.get(outcome, By.RIDER)
        steps.append((CallEventKind(str(outcome)), closed, by))
    call: RescueCall = RescueCall.objects.with_scopes_disabled().create(
        request_id=request_id,
        token_digest=digest(token_for(request_id)),
        worker=rider,
        contact_name=rider.user.name if rider else "骑手（示例）",
        union=union,
        problem=chance.choices(Problem.values, weights=(40, 30, 8, 6, 0, 10))[0],
        lon=lon,
        lat=lat,
        state=outcome,
        rescuer=rescuer if came else None,
        version=len(steps),
        received_at=received,
        waiting_since=received,
        due_at=received + THERE_WITHIN,
        called_at=received,
        accepted_at=accepted if came else None,
        arrived_at=arrived if came else None,
        done_at=done if mended else None,
        closed_at=closed if outcome != CallState.DONE else None,
        parts=chance.choice(_PARTS) if mended else "",
        stars=chance.choices((5, 4, 3, 2), weights=(70, 20, 7, 3))[0] if outcome == CallState.CONFIRMED else None,
    )
    CallEvent.objects.with_scopes_disabled().bulk_create(
        CallEvent(
            call=call,
            number=number,
            kind=kind,
            at=at,
            by=by,
            rescuer=rescuer if by in {By.RESCUER, By.SYSTEM} else None,
            lon=lon if kind in {CallEventKind.SUBMITTED, CallEventKind.ARRIVED, CallEventKind.DONE} else None,
            lat=lat if kind in {CallEventKind.SUBMITTED, CallEventKind.ARRIVED, CallEventKind.DONE} else None,
        )
        for number, (kind, at, by) in enumerate(steps, start=1)
    )
    return call


def _waiting(chance: random.Random) -> None:
    """Two riders who call at this moment."""
    free = Worker.objects.with_scopes_disabled().filter(rescue_calls=None).select_related("user").order_by("pk")
    for problem, worker in zip(("flat_tyre", "battery"), free[:2], strict=False):
        lon, lat = _near(chance)
        facts = CallFacts(
            problem=problem, lon=lon, lat=lat, contact_phone=f"1393722{chance.randrange(10_000):04d}",
            words="路口东北角（示例）",
        )  # fmt: skip
        submit_call(facts, request_id=UUID(int=chance.getrandbits(128), version=4), worker=worker)
