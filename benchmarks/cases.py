"""How long lists of cases take by the thousand, and Chinese search beside what PostgreSQL does without us.

All is simulated: 500 cases are lived through the services' own rules in 60 unions, then copied by the database with
other numbers, times and unions until there are 200,000 (50,000 with `--quick`). Pages are asked for as a cadre's
browser asks, through all of Django but the socket; a page's figure is what one process gives a second at the 95th
percentile of its time. The database is a fresh one (`DATABASE_URL`, else the embedded one) and is dropped.

Searches are asked of the database alone: the fifty first of the list that hold the words. Peers: `ILIKE` on title and
text, and PostgreSQL's own full text (`to_tsvector('simple', …)` with a GIN index), which takes a run of Chinese without
blanks for one word. How many questions each finds an answer to stands in the note.
"""

import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.report import Row, main

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yizhan.site.settings")
SEED, CASES, QUICK_CASES, LIVED, UNIONS = 20261124, 200_000, 50_000, 500, 60
SEARCHES = ("充电", "停车位", "拖欠报酬", "防暑药品", "体检 报告")


def measure(quick: bool) -> Iterator[Row]:
    """Ask for pages of the list among 200,000 simulated cases (quick: 50,000), and search them."""
    repeats = 25 if quick else 150
    with database(QUICK_CASES if quick else CASES) as (city, district):
        for who, client in (("city", city), ("district", district)):
            for case, query in (
                ("list-open", ""),
                ("list-overdue", "?waiting=overdue"),
                ("list-closed", "?waiting=closed&order=newest"),
                ("search", "?waiting=all&q=充电"),
                ("page", _deep(client)),
            ):
                yield _page(f"{case}-{who}", client, f"/desk/cases/{query}", repeats)
        yield _search(repeats)


def _page(case: str, client: Any, address: str, repeats: int) -> Row:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        response = client.get(address)
    assert response.status_code == 200
    rows = response.content.decode().count("data-row")
    seconds = sorted(_timed(lambda: client.get(address)) for _turn in range(repeats))
    p95 = seconds[min(len(seconds) - 1, int(len(seconds) * 0.95))]
    return Row(
        case=case,
        unit="pages/s at p95",
        ours=1 / p95,
        note=f"p50 {statistics.median(seconds) * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms, {len(captured)} queries, those "
        f"of the side navigation included, {rows} rows of {_size():,} cases",
    )


def _size() -> int:
    from yizhan.cases.models import Case

    return Case.objects.with_scopes_disabled().count()


def _deep(client: Any) -> str:
    """The address of a page far down, as its readers come to it: by the key of the page before."""
    from yizhan.cases.models import Case
    from yizhan.cases.queries.desk import _written

    nth = Case.objects.with_scopes_disabled().filter(due_order__year__lt=9000).order_by("due_order", "pk")
    middle = nth[nth.count() // 2]
    return f"?after={_written('due', middle.due_order, middle.pk)}"


def _timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _search(repeats: int) -> Row:
    from django.db import connection

    from yizhan.cases.models import Case
    from yizhan.cases.search import matching

    everything = Case.objects.with_scopes_disabled().order_by("due_order", "pk")

    def ours(words: str) -> list[Any]:
        return list(matching(everything, words).values_list("pk", flat=True)[:50])

    def plain(words: str) -> list[Any]:
        found = everything
        for word in words.split():
            found = found.extra(where=["(title ILIKE %s OR text ILIKE %s)"], params=[f"%{word}%", f"%{word}%"])
        return list(found.values_list("pk", flat=True)[:50])

    def unsegmented(words: str) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM bench_text WHERE words @@ plainto_tsquery('simple', %s) "
                "ORDER BY due_order, id LIMIT 50",
                [words],
            )
            return cursor.fetchall()

    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE bench_text AS SELECT id, due_order, to_tsvector('simple', title || ' ' || text) AS words "
            "FROM cases_case"
        )
        cursor.execute("CREATE INDEX ON bench_text USING gin (words)")
        cursor.execute("CREATE INDEX ON bench_text (due_order, id)")
        cursor.execute("ANALYZE bench_text")
    rates, found = {}, {}
    for name, ask in (("ours", ours), ("ILIKE", plain), ("to_tsvector without segmentation", unsegmented)):
        found[name] = sum(bool(ask(words)) for words in SEARCHES)
        seconds = [
            _timed(lambda words=words, ask=ask: ask(words))
            for _turn in range(max(repeats // 5, 5))
            for words in SEARCHES
        ]
        rates[name] = 1 / statistics.median(seconds)
    return Row(
        case="search-words",
        unit="searches/s",
        ours=rates.pop("ours"),
        peers=rates,
        note="of five questions an answer was found to: "
        + ", ".join(f"{name} {count}" for name, count in found.items()),
    )


@contextmanager
def database(cases: int) -> Iterator[tuple[Any, Any]]:
    """A fresh database with that many cases; gives the browsers of a city's and of a district's cadre."""
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection

    settings.ALLOWED_HOSTS = ["*"]
    settings.SECURE_SSL_REDIRECT = False
    settings.REQUIRE_SECOND_FACTOR = False
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield _fill(cases)
    finally:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def _fill(cases: int) -> tuple[Any, Any]:
    from django.db import connection
    from django.test import Client

    from yizhan.cases.sample_cases import _one
    from yizhan.cases.services.history import take_over
    from yizhan.unions.models import Level, Staff, Union, User
    from yizhan.unions.rights import OPERATOR, Role

    chance = random.Random(SEED)
    city = Union.objects.add_root({"name": "某市总工会", "level": Level.CITY})
    homes, people = [], {}
    for number in range(UNIONS):
        city.refresh_from_db()
        home = Union.objects.add_child(city, {"name": f"第{number}区总工会", "level": Level.DISTRICT})
        user = User.objects.create_user(username=f"cadre{number}", name=f"干部{number}")
        people[home.pk] = [Staff.objects.create(user=user, union=home, role=Role.CADRE)]
        homes.append(home)
    city.refresh_from_db()
    chief = User.objects.create_user(username="chief", name="主任")
    Staff.objects.create(user=chief, union=city, role=Role.ADMINISTRATOR)
    lived = [_one(number, homes, people, [], [], chance) for number in range(LIVED)]
    take_over(lived, union=city, actor=OPERATOR)
    _multiply(connection, cases // LIVED - 1)
    browsers = []
    for user in (chief, people[homes[0].pk][0].user):
        client = Client()
        client.force_login(user)
        browsers.append(client)
    return browsers[0], browsers[1]


def _multiply(connection: Any, copies: int) -> None:
    """Copy the lived cases with other numbers, times and (as a few large districts have most) owners."""
    from yizhan.cases.models import Case

    given = {
        "public_id": "gen_random_uuid()",
        "number": "lpad(to_hex(n), 8, '0') || '-' || lpad(id::text, 6, '0')",
        "submitted_at": "submitted_at - n * interval '37 minutes'",
        "due_order": "CASE WHEN due_order > '9000-01-01' THEN due_order "
        "ELSE due_order + (n - 50) * interval '11 hours' END",
        "union_id": "CASE WHEN n % 3 = 0 OR is_confidential THEN union_id ELSE "
        "(SELECT min(id) FROM unions_union WHERE depth = 2) + ((n * 7 + id) % 60)::int END",
        "request_id": "NULL",
        "token_digest": "NULL",
        "report_id": "NULL",
        "offered_to_id": "NULL",
    }
    columns = [field.column for field in Case._meta.concrete_fields if field.column != "id"]
    picked = [given.get(column, f'"{column}"') for column in columns]
    with connection.cursor() as cursor:
        names = ", ".join(f'"{column}"' for column in columns)
        cursor.execute(
            f"INSERT INTO cases_case ({names}) SELECT {', '.join(picked)} "
            f"FROM cases_case, generate_series(1, {copies}) n"
        )
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    main("cases", measure)
