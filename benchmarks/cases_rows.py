"""Rows for the benchmark of cases: a city with sixty districts, and in it as much as a province keeps.

Cases are lived through the services' own rules and then copied by the database with other numbers, times and unions;
visits, links, wishes, tasks and messages are written by the database at once, as many to a case as the seeds tell of.
All is simulated, and the same every time.
"""

from __future__ import annotations

import random
from typing import Any

SEED, LIVED, UNIONS = 20261124, 500, 60
# Of 200,000 cases, one every so many: what stands beside them in the lists of the room.
CASES_A_WORKER, CASES_A_VISIT, CASES_A_MESSAGE = 3, 10, 10

_WORKERS = """
    INSERT INTO unions_user (public_id, password, username, name, phone_verified, language, is_active,
        must_change_password, created_at)
    SELECT gen_random_uuid(), '!', 'rider' || n, '小哥' || n, false, 'zh-hans', true, false, now()
    FROM generate_series(1, %(workers)s) n;
    INSERT INTO unions_worker (public_id, user_id, union_id, occupation, platform_company, membership, created_at)
    SELECT gen_random_uuid(), id, (SELECT min(id) FROM unions_union WHERE depth = 2) + (id %% 60), 'food_rider', '',
        'none', now()
    FROM unions_user WHERE username LIKE 'rider%%';
    UPDATE cases_case SET worker_id = (SELECT min(id) FROM unions_worker) + (cases_case.id * 7) %% %(workers)s
    WHERE id %% 3 > 0;
"""
# Every worker has a contact in the district; every tenth another one in the city.
_LINKS = """
    INSERT INTO cases_link (public_id, kind, group_name, group_app, began_at, end_reason, revision, post_id, worker_id)
    SELECT gen_random_uuid(), 'worker', '', '', now() - interval '1 day' * (worker.id %% 300), '', 1, post.id, worker.id
    FROM unions_worker worker JOIN unions_staff post
        ON post.union_id = worker.union_id OR (worker.id %% 10 = 0 AND post.user_id = %(chief)s);
"""
_VISITS = """
    INSERT INTO cases_visit (public_id, client_id, kind, at, minutes, "where", company, counted, words, revision,
        recorded_at, changed_at, post_id, union_id)
    SELECT gen_random_uuid(), gen_random_uuid(), (ARRAY['home', 'group', 'heart', 'enterprise', 'station'])[1 + n %% 5],
        now() - n * interval '23 minutes', 30, '小区', '', n %% 12, '聊了充电和停车', 1, now(), now(), post.id,
        post.union_id
    FROM generate_series(1, %(visits)s) n JOIN unions_staff post
        ON post.id = (SELECT min(id) FROM unions_staff) + n %% 60;
    INSERT INTO cases_visitperson (visit_id, worker_id)
    SELECT DISTINCT visit.id, (SELECT min(id) FROM unions_worker) + (visit.id * 31 + n * 977) %% %(workers)s
    FROM cases_visit visit, generate_series(1, 2) n;
    INSERT INTO cases_visitneed (public_id, client_id, visit_id, case_id)
    SELECT gen_random_uuid(), gen_random_uuid(), visit.id, of_case.id
    FROM cases_visit visit JOIN cases_case of_case ON of_case.id = visit.id * 9 AND visit.id %% 2 = 0;
"""
# A twelfth of the cases was somewhere else before, or is helped with from there.
_PARTIES = """
    INSERT INTO cases_caseparty (role, case_id, union_id)
    SELECT CASE WHEN id %% 24 = 0 THEN 'earlier_owner' ELSE 'co_handler' END, id,
        (SELECT min(id) FROM unions_union WHERE depth = 2) + (id / 12 * 7) %% 60
    FROM cases_case WHERE id %% 12 = 0 AND NOT is_confidential AND id > %(lived)s;
"""
_WISHES = """
    INSERT INTO cases_wish (public_id, title, words, state, thanks_public, published_at, delivered_at, case_id)
    SELECT gen_random_uuid(), title, '跑单用得上', CASE WHEN state = 'closed' THEN 'delivered' ELSE 'published' END, '',
        submitted_at, CASE WHEN state = 'closed' THEN now() END, id
    FROM cases_case
    WHERE kind = 'wish' AND state IN ('accepted', 'assigned', 'in_progress', 'proposed', 'closed') AND id %% 4 > 0;
    INSERT INTO cases_wishclaim (public_id, claimed_at, until, ended_at, ended_how, words, sponsor_id, wish_id)
    SELECT gen_random_uuid(), now() - interval '9 days', now() + interval '5 days', now(), 'delivered', '',
        (SELECT min(id) FROM cases_sponsor) + cases_wish.id %% 40, id
    FROM cases_wish WHERE state = 'delivered';
"""
# Three hundred projects of a hundred tasks each, the half of them passed down one level.
_LEDGER = """
    INSERT INTO cases_project (public_id, name, purpose, is_closed, created_at, union_id)
    SELECT gen_random_uuid(), '三走进' || n, '', n > 200, now() - n * interval '1 day',
        (SELECT min(id) FROM unions_union) + n %% 61
    FROM generate_series(1, 300) n;
    INSERT INTO cases_tasklist (public_id, name, "order", project_id)
    SELECT gen_random_uuid(), '问题清单', 0, id FROM cases_project;
    INSERT INTO cases_task (public_id, number, level, title, measure, deadline, state, weight, percent, unit,
        done_count, progress_words, note, revision, created_at, changed_at, union_id, list_id)
    SELECT gen_random_uuid(), n, 1, '任务' || n, '', now()::date + (n - 25),
        CASE WHEN n %% 3 = 0 THEN 'done' ELSE 'open' END, 1, n, '', 0, '', '', 1, now(), now(), project.union_id,
        list.id
    FROM generate_series(1, 50) n, cases_tasklist list JOIN cases_project project ON project.id = list.project_id;
    INSERT INTO cases_task (public_id, number, level, title, measure, deadline, state, weight, percent, unit,
        done_count, progress_words, note, revision, created_at, changed_at, union_id, list_id, parent_id)
    SELECT gen_random_uuid(), 1, 2, title, '', deadline, state, 1, percent, '', 0, '', '', 1, now(), now(),
        (SELECT min(id) FROM unions_union) + (id %% 61), list_id, id
    FROM cases_task WHERE level = 1;
"""
_MESSAGES = """
    INSERT INTO unions_inboxmessage (public_id, title, body, link, sent_at, read_at, post_id)
    SELECT gen_random_uuid(), '案件逾期', '', '', now() - n * interval '11 minutes',
        CASE WHEN n > 400 THEN now() END, CASE WHEN n %% 2 = 0 THEN %(chief_post)s ELSE
        (SELECT min(id) FROM unions_staff) + n %% 60 END
    FROM generate_series(1, %(messages)s) n;
    INSERT INTO cases_round (public_id, title, day, state, revision, created_at, post_id, union_id)
    SELECT gen_random_uuid(), '走站', now()::date - n / 10, CASE WHEN n < 50 THEN 'planned' ELSE 'done' END, 1, now(),
        post.id, post.union_id
    FROM generate_series(1, 2000) n JOIN unions_staff post ON post.id = (SELECT min(id) FROM unions_staff) + n %% 60;
    INSERT INTO cases_roundstop (public_id, "order", kind, name, address, note, round_id)
    SELECT gen_random_uuid(), n, 'station', '驿站' || n, '', '', id FROM cases_round, generate_series(1, 6) n;
    INSERT INTO cases_stockitem (public_id, name, unit, is_lent, lent_days, quantity, created_at, union_id)
    SELECT gen_random_uuid(), '充电宝' || n, '个', true, 3, 40, now(), (SELECT min(id) FROM unions_union) + n %% 61
    FROM generate_series(1, 300) n;
    INSERT INTO cases_stockissue (public_id, quantity, returned, lost, issued_at, due_on, worker_id, item_id)
    SELECT gen_random_uuid(), 1, (n %% 4 > 0)::int, 0, now() - n * interval '1 hour', now()::date - n / 24 + 3,
        (SELECT min(id) FROM unions_worker) + n, (SELECT min(id) FROM cases_stockitem) + n %% 300
    FROM generate_series(1, 6000) n;
    INSERT INTO cases_meeting (public_id, title, starts_at, "where", state, agreement, revision, created_at, union_id)
    SELECT gen_random_uuid(), '配送单价协商', now() - n * interval '9 hours', '', 'planned', '', 1, now(),
        (SELECT min(id) FROM unions_union) + n %% 61
    FROM generate_series(1, 1000) n;
    INSERT INTO cases_agendaitem (public_id, number, title, proposal, reply, outcome, result, meeting_id)
    SELECT gen_random_uuid(), n, '单价', '', '', 'open', '', id FROM cases_meeting, generate_series(1, 5) n;
"""


def fill(cases: int) -> tuple[Any, Any]:
    """Write the rows; gives the people of the city's administrator and of one district's cadre."""
    from django.db import connection

    from yizhan.cases.sample_cases import _one
    from yizhan.cases.services.history import take_over
    from yizhan.cases.services.sponsors import save_sponsor
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
    post = Staff.objects.create(user=chief, union=city, role=Role.ADMINISTRATOR)
    lived = [_one(number, homes, people, [], [], chance) for number in range(LIVED)]
    take_over(lived, union=city, actor=OPERATOR)
    for number in range(40):
        save_sponsor(
            union=city, actor=OPERATOR, name=f"爱心企业{number}", contact_name="王经理", contact_phone="13900000000"
        )
    _multiply(connection, cases // LIVED - 1)
    given = {
        "workers": cases // CASES_A_WORKER,
        "visits": cases // CASES_A_VISIT,
        "messages": cases // CASES_A_MESSAGE,
        "chief": chief.pk,
        "chief_post": post.pk,
        "lived": LIVED,
    }
    with connection.cursor() as cursor:
        for written in (_WORKERS, _LINKS, _VISITS, _PARTIES, _WISHES, _LEDGER, _MESSAGES):
            for statement in filter(str.strip, written.split(";\n")):
                cursor.execute(statement, given)
        # As on a server that has run for an hour: autovacuum has been by.
        cursor.execute("VACUUM ANALYZE")
    return chief, people[homes[0].pk][0].user


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
