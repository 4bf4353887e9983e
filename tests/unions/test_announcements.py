"""Who keeps a copy of the tree hears when it changed."""

from __future__ import annotations

import psycopg
import pytest
from django.db import connection

from tests.conftest import UnionTree
from yizhan.unions.models import Level
from yizhan.unions.rights import OPERATOR
from yizhan.unions.services.tree import TREE_CHANNEL, create_union, deactivate_union, move_union, reactivate_union


@pytest.mark.django_db(transaction=True)
def test_moves_and_deactivations_are_announced(transactional_db: None, tree: UnionTree) -> None:
    sector = create_union(actor=OPERATOR, parent=tree.zhongyuan, name="行业", level=Level.SECTOR)
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    parameters.pop("context", None)
    with psycopg.connect(**parameters, autocommit=True) as listener:
        listener.execute(f"LISTEN {TREE_CHANNEL}")

        def heard() -> int:
            return len(list(listener.notifies(timeout=2, stop_after=1)))

        move_union(actor=OPERATOR, union=sector, to=tree.jinshui)
        assert heard() == 1
        deactivate_union(actor=OPERATOR, union=sector)
        assert heard() == 1
        reactivate_union(actor=OPERATOR, union=sector)
        assert heard() == 1
