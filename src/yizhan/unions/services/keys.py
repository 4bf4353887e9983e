"""Moving stored personal data to the newest key."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import connection, models, transaction

from yizhan.unions import actions
from yizhan.unions.audit import record
from yizhan.unions.encryption import EncryptedTextField, rotate
from yizhan.unions.rights import OPERATOR

_BATCH = 500
_SECRET_OF = {Authenticator.Type.TOTP: "secret", Authenticator.Type.RECOVERY_CODES: "seed"}


def encrypted_columns() -> Iterator[tuple[type[models.Model], EncryptedTextField]]:
    """Every encrypted field of every room."""
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, EncryptedTextField):
                yield model, field


def rotate_keys(*, progress: Callable[[int], None] = lambda count: None) -> int:
    """Re-encrypt every personal value and second factor with the newest key, batch by batch, each a transaction.

    May be interrupted and run again: what is under the newest key already is left alone. Afterwards the older keys
    can be taken out of the settings; sessions written under them end.

    Args:
        progress: Called with the number of values looked at since the last call.

    Returns:
        How many values were re-encrypted.

    Raises:
        Undecipherable: a value fits none of the keys; nothing of its batch was written.
    """
    changed = 0
    for model, field in encrypted_columns():
        last = 0
        while batch := _rotate_batch(model, field, after=last):
            last, looked_at, changed_here = batch
            changed += changed_here
            progress(looked_at)
    changed += _rotate_second_factors(progress)
    if changed:
        record(OPERATOR, actions.KEYS_ROTATED, union=None, details={"values": changed})
    return changed


@transaction.atomic
def _rotate_second_factors(progress: Callable[[int], None]) -> int:
    """The secrets of authenticator apps and recovery codes, which django-allauth keeps in JSON."""
    changed = 0
    for factor in Authenticator.objects.select_for_update().filter(type__in=_SECRET_OF):
        name = _SECRET_OF[factor.type]
        token = factor.data.get(name)
        fresh = rotate(token) if token else token
        if fresh != token:
            factor.data[name] = fresh
            factor.save(update_fields=["data"])
            changed += 1
        progress(1)
    return changed


@transaction.atomic
def _rotate_batch(model: type[models.Model], field: EncryptedTextField, *, after: int) -> tuple[int, int, int] | None:
    """One batch by raw SQL: the ORM would decrypt and encrypt again."""
    table, column = connection.ops.quote_name(model._meta.db_table), connection.ops.quote_name(field.attname)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, {column} FROM {table} WHERE id > %s AND {column} IS NOT NULL ORDER BY id LIMIT %s FOR UPDATE",  # noqa: S608
            [after, _BATCH],
        )
        rows: list[tuple[int, str]] = cursor.fetchall()
        if not rows:
            return None
        renewed = [(fresh, pk) for pk, token in rows if (fresh := rotate(token)) != token]
        cursor.executemany(f"UPDATE {table} SET {column} = %s WHERE id = %s", renewed)  # noqa: S608
    return rows[-1][0], len(rows), len(renewed)
