"""How long the lists of the cases room take by the thousand, and Chinese search beside what PostgreSQL does without us.

All is simulated: 500 cases are lived through the services' own rules in 60 unions, then copied by the database with
other numbers, times and unions until there are 200,000 (50,000 with `--quick`), with the visits, links, wishes, tasks
and messages that stand beside them. Pages are asked for as a browser asks, through all of Django but the socket: what
is measured is the server's time. `ours` is what one process gives a second at the 95th percentile of its time; the
note says milliseconds and queries, those of the side navigation included. The database is a fresh one
(`DATABASE_URL`, else the embedded one), analysed and vacuumed as autovacuum leaves it, and is dropped.

Searches are asked of the database alone: the fifty first of the list that hold the words. Peers: `ILIKE` on title and
text, and PostgreSQL's own full text (`to_tsvector('simple', …)` with a GIN index), which takes a run of Chinese without
blanks for one word. How many questions each finds an answer to stands in the note.
"""

import logging
import os
import re
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.report import Row, main

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yizhan.site.settings")
CASES, QUICK_CASES = 200_000, 50_000
SEARCHES = {
    "search-often": ("充电", "停车位", "免费体检", "微波炉", "饮水机 热水"),  # in every tenth case and more
    "search-seldom": ("集体宿舍漏水", "工伤复议", "夜班补贴", "高温津贴", "拼车 平台"),  # in none
}
# What is asked for by everyone who has a desk; `{after}` is the key of a page far down.
PAGES = {
    "cases": "/desk/cases/",
    "cases-overdue": "/desk/cases/?waiting=overdue",
    "cases-closed": "/desk/cases/?waiting=closed&order=newest",
    "cases-all-by-due": "/desk/cases/?waiting=all",
    "cases-late": "/desk/cases/?waiting=late",
    "cases-solved": "/desk/cases/?waiting=solved",
    "cases-kind": "/desk/cases/?waiting=all&kind=mediation",
    "cases-union": "/desk/cases/?waiting=all&union=第3区",
    "cases-handler": "/desk/cases/?waiting=all&handler=干部7",
    "cases-source": "/desk/cases/?waiting=all&source=hotline",
    "cases-days": "/desk/cases/?waiting=all&since=2026-09-01&until=2026-09-30",
    "cases-search": "/desk/cases/?waiting=all&q=充电",
    "cases-search-rare": "/desk/cases/?waiting=all&q=体检 报告",
    "cases-search-telephone": "/desk/cases/?waiting=all&q=13912345678",
    "cases-page-2": "/desk/cases/?after={second}",
    "cases-deep": "/desk/cases/?after={after}",
    "rights": "/desk/cases/?kind=rights",
    "problems": "/desk/cases/problems/",
    "visits": "/desk/visits/",
    "visits-page-200": "/desk/visits/?page=200",
    "visits-words": "/desk/visits/?q=充电",
    "rounds": "/desk/rounds/",
    "links": "/desk/links/",
    "links-page-500": "/desk/links/?page=500",
    "links-name": "/desk/links/?q=小哥7",
    "coverage": "/desk/links/coverage/",
    "wishes": "/desk/wishes/",
    "wishes-page-100": "/desk/wishes/?page=100",
    "sponsors": "/desk/sponsors/",
    "stock": "/desk/stock/",
    "stock-out": "/desk/stock/out/",
    "ledger": "/desk/ledger/",
    "meetings": "/desk/meetings/",
    "roster": "/desk/roster/",
    "inbox": "/desk/inbox/",
    "results": "/results/",
    "wall": "/wishes/",
}


def measure(quick: bool) -> Iterator[Row]:
    """Ask for every list among 200,000 simulated cases (quick: 50,000), and search them."""
    repeats = 5 if quick else 20
    with database(QUICK_CASES if quick else CASES) as (city, district):
        for who, client in (("city", city), ("district", district)):
            second, after = _after(client), _deep()
            for case, address in PAGES.items():
                yield _page(f"{case}-{who}", client, address.format(second=second, after=after), repeats)
        yield from _searches(repeats)


def _page(case: str, client: Any, address: str, repeats: int) -> Row:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        response = client.get(address)
    assert response.status_code == 200
    asked = len(captured)
    seconds = sorted(_timed(lambda: client.get(address)) for _turn in range(repeats))
    p95 = seconds[min(len(seconds) - 1, int(len(seconds) * 0.95))]
    return Row(
        case=case,
        unit="pages/s at p95",
        ours=1 / p95,
        note=f"p50 {statistics.median(seconds) * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms, {asked} queries, those "
        f"of the side navigation included, {_size():,} cases",
    )


def _size() -> int:
    from yizhan.cases.models import Case

    return Case.objects.with_scopes_disabled().count()


def _after(client: Any) -> str:
    """The key of the second page."""
    page = client.get("/desk/cases/").content.decode()
    found = re.search(r'rel="next" href="[^"]*after=([\w-]+)', page)
    assert found
    return found[1]


def _deep() -> str:
    """The key of a page far down, as its readers come to it: from the page before."""
    from yizhan.cases.models import Case
    from yizhan.cases.queries.desk import _written

    nth = Case.objects.with_scopes_disabled().filter(due_order__year__lt=9000).order_by("due_order", "pk")
    middle = nth[nth.count() // 2]
    return _written("due", middle.due_order, middle.pk)


def _timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _searches(repeats: int) -> Iterator[Row]:
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
    asked = (("ours", ours), ("ILIKE", plain), ("to_tsvector without segmentation", unsegmented))
    for case, questions in SEARCHES.items():
        rates, found = {}, {}
        for name, ask in asked:
            found[name] = sum(bool(ask(words)) for words in questions)
            seconds = [
                _timed(lambda words=words, ask=ask: ask(words))
                for _turn in range(max(repeats // 2, 5))
                for words in questions
            ]
            rates[name] = 1 / statistics.median(seconds)
        yield Row(
            case=case,
            unit="searches/s",
            ours=rates.pop("ours"),
            peers=rates,
            note="of five questions an answer was found to: "
            + ", ".join(f"{name} {count}" for name, count in found.items()),
        )


@contextmanager
def database(cases: int) -> Iterator[tuple[Any, Any]]:
    """A fresh database with that many cases; gives the browsers of a city's and of a district's people."""
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection
    from django.test import Client

    from benchmarks.cases_rows import fill

    settings.ALLOWED_HOSTS = ["*"]
    settings.SECURE_SSL_REDIRECT = False
    settings.REQUIRE_SECOND_FACTOR = False
    logging.disable(logging.INFO)
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        browsers = []
        for user in fill(cases):
            client = Client()
            client.force_login(user)
            browsers.append(client)
        yield browsers[0], browsers[1]
    finally:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


if __name__ == "__main__":
    main("cases", measure)
