"""The books: finding accounts, and posting what is balanced. Rights are asked by the services that call this."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from yizhan.benefits.models import (
    Account,
    AccountKind,
    Entry,
    LedgerTransaction,
    Programme,
    Redemption,
    TransactionKind,
)
from yizhan.places.models import Place
from yizhan.unions.models import Union


class Unbalanced(ValueError):
    """Entries that do not sum up to zero, or fewer than two; a fault of the calling program."""


def account_of(
    kind: AccountKind,
    *,
    union: Union | None = None,
    place: Place | None = None,
    programme: Programme | None = None,
    name: str = "",
) -> Account:
    """The account of that kind, opened when there is none.

    Merchants' accounts are named by `place`, workers' shares and programmes by `programme`, unions and banks by
    `union`, platforms and sponsors by `union` and `name`.
    """
    owner = union
    if owner is None:
        named = place or programme
        if named is None:
            msg = "an account is of a union, a place or a programme"
            raise ValueError(msg)
        owner = named.union
    account: Account
    by = {"place": place} if place else {"programme": programme} if programme else {"union": owner, "name": name}
    account, _made = Account.objects.with_scopes_disabled().get_or_create(
        kind=kind, **by, defaults={"union": owner, "name": name, "place": place, "programme": programme}
    )
    return account


@transaction.atomic
def post(
    kind: TransactionKind,
    entries: Iterable[tuple[Account, int]],
    *,
    union: Union,
    programme: Programme | None = None,
    redemption: Redemption | None = None,
    reverses: LedgerTransaction | None = None,
    memo: str = "",
    happened_at: datetime | None = None,
) -> LedgerTransaction:
    """Write one balanced transaction; `fen` is positive to an account, negative from it. Zero lines are left out.

    Args:
        union: Whose money it is about: its staff and those above see it.

    Raises:
        Unbalanced: the entries do not sum up to zero, or are fewer than two.
    """
    lines = [(account, fen) for account, fen in entries if fen]
    if len(lines) < 2 or sum(fen for _account, fen in lines) != 0:
        msg = f"{len(lines)} entries with a sum of {sum(fen for _account, fen in lines)} fen"
        raise Unbalanced(msg)
    now = timezone.now()
    written: LedgerTransaction = LedgerTransaction.objects.with_scopes_disabled().create(
        kind=kind,
        programme=programme,
        union=union,
        redemption=redemption,
        reverses=reverses,
        memo=memo[:120],
        happened_at=happened_at or now,
        posted_at=now,
    )
    Entry.objects.with_scopes_disabled().bulk_create(
        Entry(transaction=written, account=account, fen=fen) for account, fen in lines
    )
    return written


def reverse(original: LedgerTransaction, *, memo: str = "", happened_at: datetime | None = None) -> LedgerTransaction:
    """Post the opposite of every entry of a transaction. The database lets each be reversed once."""
    entries = [
        (entry.account, -entry.fen)
        for entry in Entry.objects.with_scopes_disabled().filter(transaction=original).select_related("account")
    ]
    return post(
        TransactionKind.REVERSED,
        entries,
        union=original.union,
        programme=original.programme,
        redemption=original.redemption,
        reverses=original,
        memo=memo,
        happened_at=happened_at,
    )


def balance(account: Account) -> int:
    """What an account received less what it gave, in fen, over all its entries."""
    summed = Entry.objects.with_scopes_disabled().filter(account=account).aggregate(fen=Sum("fen"))
    return int(summed["fen"] or 0)
