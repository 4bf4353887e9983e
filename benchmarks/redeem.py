"""How many redemptions a second the engine takes, beside pgbench on the same server in the same run.

A fresh database on `DATABASE_URL` (else the embedded server), synchronous commit on; it is created and dropped. All is
simulated: 16 programmes with a budget each, 16 merchants, thousands of riders. Every redemption goes through
`services.redeeming.redeem` as from a counter: the rules, a quota for the day, the shares of the budget (in all and of
the day), the row, four entries of the books, and the commit. `spread` cases take the programmes in turn; `hot` is one
programme with one budget, at all merchants at once. Clients are processes of one connection each, on this machine, too.

The first second and a half of a case is redeemed but not counted: the first meals of a day lay out the shares of its
budgets, which happens once a day.

`pgbench` runs its built-in simple-update (an UPDATE, a SELECT and an INSERT) with as many connections before and after;
what stands here is the mean. `http-16` asks the interface that is served by Granian, session and rights included.
"""

import json
import multiprocessing
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from benchmarks.report import Row, main
from benchmarks.serving import wait_until_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yizhan.site.settings")
os.environ.setdefault("YIZHAN_INSECURE_HTTP", "1")
PROGRAMMES = PLACES = CLIENTS = 16
RIDERS = 8_000
CAP_FEN = 100_000_000_00
FUNDED = 400
WARM_UP_S = 1.5
_FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Town:
    """What was made to redeem: identifiers only, since clients are other processes."""

    spread: list[int]
    hot: list[int]
    riders: list[int]
    rider_names: list[str]
    staff: int
    cookie: str


@dataclass(frozen=True)
class Outcome:
    """What the clients of one case saw together."""

    rate: float
    p50_ms: float
    p99_ms: float
    count: int


def measure(quick: bool) -> Iterator[Row]:
    """Redemptions a second through the service and over HTTP, spread and hot, beside pgbench."""
    seconds = 3.0 if quick else 15.0
    with database() as town:
        pgbench, why = pgbench_rate(1, seconds / 2), ""
        if pgbench is None:
            why = "neither on PATH nor at /usr/lib/postgresql/*/bin"
        one = service(town, town.spread, clients=1, seconds=seconds / 2)
        yield row("service-1", one, pgbench, why)
        before = pgbench_rate(CLIENTS, seconds)
        spread = service(town, town.spread, clients=CLIENTS, seconds=seconds)
        hot = service(town, town.hot, clients=CLIENTS, seconds=seconds)
        after = pgbench_rate(CLIENTS, seconds)
        beside = statistics.mean([before, after]) if before and after else None
        yield row("service-16", spread, beside, why)
        with server() as port:
            over_http(town, port, 2.0)  # both workers have read their modules and made their connections
            yield row("http-16", over_http(town, port, seconds), beside, why)
        note = f"{hot.rate / spread.rate:.0%} of the spread rate; {_cap_note()}"
        yield row("hot-budget-16", hot, beside, why, note=note)


def row(case: str, seen: Outcome, pgbench: float | None, why: str, *, note: str = "") -> Row:
    """One case; pgbench's transactions are the peer's unit of work."""
    said = f"{seen.count:,} redemptions, p50 {seen.p50_ms:.1f} ms, p99 {seen.p99_ms:.1f} ms"
    if pgbench:
        said += f", {seen.rate / pgbench:.0%} of pgbench simple-update"
    return Row(
        case=case,
        unit="redemptions/s",
        ours=seen.rate,
        peers={"pgbench simple-update": pgbench} if pgbench else {},
        missing={} if pgbench else {"pgbench simple-update": why},
        note=f"{said}; {note}" if note else said,
    )


def service(town: Town, offers: list[int], *, clients: int, seconds: float) -> Outcome:
    """As many processes as clients, each with one connection, redeem until the time is over."""
    from django.db import connection

    connection.close()
    start = _FORK.Barrier(clients)
    told: Any = _FORK.Queue()
    processes = [
        _FORK.Process(target=_client, args=(town, offers, number, clients, seconds, start, told), daemon=True)
        for number in range(clients)
    ]
    for process in processes:
        process.start()
    delays = [told.get(timeout=WARM_UP_S + seconds + 120) for _process in processes]
    for process in processes:
        process.join(30)
    return _outcome(delays, seconds)


def _client(town: Town, offers: list[int], number: int, clients: int, seconds: float, start: Any, told: Any) -> None:
    """One counter: its riders come one after the other."""
    from yizhan.benefits.models import BenefitOffer
    from yizhan.benefits.services.redeeming import redeem
    from yizhan.unions.models import Staff, Worker

    rows = BenefitOffer.objects.with_scopes_disabled().select_related("place__union", "programme__union")
    meals = list(rows.filter(pk__in=offers).order_by("pk"))
    post = Staff.objects.with_scopes_disabled().select_related("union").get(pk=town.staff)
    riders = list(Worker.objects.with_scopes_disabled().filter(pk__in=town.riders[number::clients]).order_by("pk"))
    device, delays = f"bench-{number}", []
    start.wait(60)
    counted = time.perf_counter() + WARM_UP_S
    end = counted + seconds
    turn = 0
    while (began := time.perf_counter()) < end:
        rider, meal = riders[turn % len(riders)], meals[(number + turn) % len(meals)]
        redeem(offer=meal, worker=rider, request_id=uuid4(), device=device, actor=post)
        if began >= counted:
            delays.append(time.perf_counter() - began)
        turn += 1
    told.put(delays)


def over_http(town: Town, port: int, seconds: float) -> Outcome:
    """Sixteen keep-alive connections from two processes."""
    from django.db import connection

    connection.close()
    told: Any = _FORK.Queue()
    processes = [
        _FORK.Process(target=_http_clients, args=(town, port, half, seconds, told), daemon=True) for half in range(2)
    ]
    for process in processes:
        process.start()
    delays = [told.get(timeout=seconds + 120) for _process in processes]
    for process in processes:
        process.join(30)
    return _outcome(delays, seconds)


def _http_clients(town: Town, port: int, half: int, seconds: float, told: Any) -> None:
    delays: list[float] = []
    each = CLIENTS // 2
    names = offer_names(town)
    end = time.perf_counter() + seconds

    def one(number: int) -> None:
        line = HTTPConnection("127.0.0.1", port, timeout=60)
        session, token = town.cookie.split(" ")
        headers = {
            "Content-Type": "application/json",
            "Cookie": f"sessionid={session}; csrftoken={token}",
            "X-CSRFToken": token,
        }
        riders, turn = town.rider_names[number::CLIENTS], 0
        while (began := time.perf_counter()) < end:
            body = {
                "offer": names[(number + turn) % len(names)],
                "worker": riders[turn % len(riders)],
                "request_id": str(uuid4()),
                "device": f"http-{number}",
            }
            line.request("POST", "/api/benefits/redemptions", json.dumps(body), headers)
            answer = line.getresponse()
            said = answer.read()
            if answer.status != 200:
                raise SystemExit(f"{answer.status}: {said[:300]!r}")
            delays.append(time.perf_counter() - began)
            turn += 1

    threads = [threading.Thread(target=one, args=(half * each + number,)) for number in range(each)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told.put(delays)


def offer_names(town: Town) -> list[str]:
    """Public identifiers of the spread offers."""
    from yizhan.benefits.models import BenefitOffer

    rows = BenefitOffer.objects.with_scopes_disabled().filter(pk__in=town.spread).order_by("pk")
    return [str(name) for name in rows.values_list("public_id", flat=True)]


def _outcome(delays: list[list[float]], seconds: float) -> Outcome:
    every = sorted(delay for told in delays for delay in told)
    cut = statistics.quantiles(every, n=100)
    return Outcome(len(every) / seconds, cut[49] * 1000, cut[98] * 1000, len(every))


def _cap_note() -> str:
    """Whether the hot budget agrees with what was redeemed, to the fen."""
    from django.db.models import Sum

    from yizhan.benefits.models import Budget, BudgetShard, Redemption, Span

    hot = Budget.objects.with_scopes_disabled().filter(programme__name="热门", span=Span.TOTAL).get()
    shards = BudgetShard.objects.with_scopes_disabled().filter(budget=hot)
    spent = shards.aggregate(fen=Sum("spent_fen"))["fen"]
    meals = Redemption.objects.with_scopes_disabled().filter(programme__name="热门")
    given = meals.aggregate(fen=Sum("funded_fen"))["fen"]
    return f"budget and redemptions agree: {spent:,} = {given:,} fen" if spent == given else f"OFF: {spent} ≠ {given}"


@contextmanager
def database() -> Iterator[Town]:
    """A fresh database with the town in it."""
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection

    settings.DATABASES["default"]["CONN_HEALTH_CHECKS"] = False
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        yield _fill()
    finally:
        connection.close()
        connection.creation.destroy_test_db(name, verbosity=0)


def _fill() -> Town:
    from django.test import Client
    from django.utils import timezone

    from yizhan.benefits.models import AccountKind, BenefitOffer, PartyKind, ProgrammeState, Span
    from yizhan.benefits.services.budgets import set_budget
    from yizhan.benefits.services.ledger import account_of
    from yizhan.benefits.services.offers import set_offer
    from yizhan.benefits.services.programmes import ProgrammeFacts, create_programme, step_programme
    from yizhan.benefits.split import Part
    from yizhan.places.models import Place
    from yizhan.unions.models import Level, Staff, Union, User, Worker
    from yizhan.unions.rights import OPERATOR, Role

    union = Union.objects.add_root({"name": "模拟总工会", "level": Level.CITY, "division_code": "4101"})
    user = User.objects.create_user(username="bench", name="模拟店员")
    post = Staff.objects.with_scopes_disabled().create(user=user, union=union, role=Role.KEEPER)
    places = Place.published.bulk_create(
        Place(
            union=union,
            name=f"{number}号惠骑餐厅（模拟）",
            kind="restaurant",
            lon=113.6,
            lat=34.7,
            datum_given="WGS-84",
            position_source="survey",
            status="published",
            published_at=timezone.now(),
        )
        for number in range(PLACES)
    )
    people = User.objects.bulk_create(User(name=f"模拟骑手{number}") for number in range(RIDERS))
    riders = Worker.objects.with_scopes_disabled().bulk_create(
        Worker(user=person, union=union, occupation="food_rider") for person in people
    )
    account = account_of(AccountKind.UNION, union=union)
    parts = [Part(PartyKind.WORKER, None), Part(PartyKind.MERCHANT, 200), Part(PartyKind.UNION, FUNDED, union=union)]

    def programme(name: str, where: list[Place]) -> list[BenefitOffer]:
        facts = ProgrammeFacts(name=name, starts_on=timezone.localdate() - timedelta(days=1), quota_day=500)
        made = create_programme(facts, union=union, actor=OPERATOR)
        offers = [
            set_offer(made, place=place, name="九元套餐", list_price_fen=1500, parts=parts, actor=OPERATOR)
            for place in where
        ]
        for span in (Span.TOTAL, Span.DAY):
            set_budget(account=account, programme=made, span=span, cap_fen=CAP_FEN, actor=OPERATOR)
        step_programme(made, ProgrammeState.OPEN, actor=OPERATOR)
        return offers

    spread = [programme(f"分散{number}", [places[number]])[0] for number in range(PROGRAMMES)]
    hot = programme("热门", places)
    client = Client(enforce_csrf_checks=False)
    client.force_login(user)
    session = client.cookies["sessionid"].value
    return Town(
        spread=[offer.pk for offer in spread],
        hot=[offer.pk for offer in hot],
        riders=[rider.pk for rider in riders],
        rider_names=[str(rider.public_id) for rider in riders],
        staff=post.pk,
        cookie=f"{session} {'b' * 32}",
    )


def pgbench_rate(clients: int, seconds: float) -> float | None:
    """Transactions a second of the built-in simple-update, in a database of its own on the same server."""
    from django.db import connection

    found = [shutil.which("pgbench"), *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench")))]
    program = next((path for path in found if path), None)
    if program is None:
        return None
    connection.ensure_connection()
    info = connection.connection.info
    name = f"{info.dbname}_pgbench"
    where = ["-h", info.host, "-p", str(info.port), "-U", info.user]
    environment = {**os.environ, "PGPASSWORD": info.password or "", "LC_ALL": "C"}
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute(f'CREATE DATABASE "{name}"')
    try:
        subprocess.run(
            [program, *where, "-i", "-q", "-s", "10", name], env=environment, check=True, capture_output=True
        )
        command = [
            program,
            *where,
            "-b",
            "simple-update",
            "-n",
            "-c",
            str(clients),
            "-j",
            "2",
            "-T",
            str(max(2, round(seconds))),
        ]
        said = subprocess.run([*command, name], env=environment, check=True, capture_output=True, text=True).stdout
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
    (line,) = [line for line in said.splitlines() if line.startswith("tps = ")]
    return float(line.split()[2])


@contextmanager
def server() -> Iterator[int]:
    """Django on Granian, two workers as on a machine of two cores; gives its port."""
    from django.db import connection

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    connection.ensure_connection()
    info = connection.connection.info
    user = quote(info.user) + (f":{quote(info.password)}" if info.password else "")
    address = f"postgresql://{user}@{quote(info.host, safe='')}:{info.port}/{info.dbname}"
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "1"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--no-ws", "--log-level", "warning"]
    environment = {**os.environ, "DATABASE_URL": address, "YIZHAN_BASE_URL": f"http://127.0.0.1:{port}"}
    process = subprocess.Popen(
        [*command, "yizhan.site.wsgi:application"],
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # a line of log for each request, as an installation writes to a file
    )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/api/openapi.json")
        yield port
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)


if __name__ == "__main__":
    main("redeem", measure)
