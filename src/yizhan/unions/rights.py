"""Who may do what: roles at a union give rights in that union and in all below it, never above or beside.

Each room declares its rights in its own `rights.py` (imported when the room's app is ready):

    CHANGE_PLACE = declare("places.change", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.KEEPER])

and asks `policy` before it writes:

    policy.require(staff, CHANGE_PLACE, place.union)

Two roles are bound to one thing below a union, a merchant's counter: they hold their rights only `within` it. The room
that keeps those bounds tells the policy how to find them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from .models import Staff, Union


class Role(models.TextChoices):
    """What a person is at a union."""

    ADMINISTRATOR = "administrator", _("Administrator")
    CADRE = "cadre", _("Cadre")
    KEEPER = "keeper", _("Station keeper")
    FINANCE = "finance", _("Finance officer")
    READER = "reader", _("Read-only")
    MERCHANT = "merchant", _("Merchant")
    CASHIER = "cashier", _("Cashier")


# Whoever holds one of these holds nothing at the union itself.
BOUND_ROLES = frozenset({Role.MERCHANT, Role.CASHIER})
UNION_ROLES = tuple(role for role in Role if role not in BOUND_ROLES)


@dataclass(frozen=True, slots=True)
class Right:
    """One thing that staff may or may not do, such as `places.change`."""

    name: str

    def __str__(self) -> str:
        return self.name


class Operator:
    """Whoever runs the installation's command line: holds every right, since they hold the database."""

    def __str__(self) -> str:
        return "operator"


OPERATOR = Operator()


class NotAllowed(PermissionDenied):
    """The acting staff lacks a right at a union; becomes HTTP 403."""

    def __init__(self, right: Right, union: Union) -> None:
        super().__init__(
            _("You may not do this at %(union)s (%(right)s).") % {"union": union.name, "right": right.name}
        )
        self.right = right
        self.union = union


class Policy:
    """Answers "may this person do this here?"; the only place that knows."""

    def __init__(self) -> None:
        self._roles: dict[Right, frozenset[Role]] = {}
        self._bounds: Callable[[Staff], Collection[models.Model]] = lambda _staff: ()

    def declare(self, name: str, *, roles: Iterable[Role]) -> Right:
        """Make a right known, with the roles that give it."""
        right = Right(name)
        self._roles[right] = frozenset(roles)
        return right

    def find_bounds_by(self, bounds: Callable[[Staff], Collection[models.Model]]) -> None:
        """Tell how to find to what a post of a bound role is bound; one room of the house does."""
        self._bounds = bounds

    def bounds(self, staff: Staff) -> Collection[models.Model]:
        """To what a post is bound; nothing for posts at a union."""
        return self._bounds(staff) if Role(staff.role) in BOUND_ROLES else ()

    def allows(
        self, staff: Staff | Operator | None, right: Right, union: Union, *, within: models.Model | None = None
    ) -> bool:
        """Whether `staff`, by role and place in the tree, holds `right` at `union`.

        A post of a bound role holds it only `within` one of the things to which it is bound.
        """
        if isinstance(staff, Operator):
            return True
        return (
            staff is not None
            and staff.is_active
            and Role(staff.role) in self._roles[right]
            and union.path.startswith(staff.union.path)
            and (Role(staff.role) not in BOUND_ROLES or (within is not None and within in self._bounds(staff)))
        )

    def holds(self, staff: Staff | None, right: Right) -> bool:
        """Whether `staff` holds `right` at their own union or at what they are bound to: what navigation asks."""
        return staff is not None and staff.is_active and Role(staff.role) in self._roles[right]

    def require(
        self, staff: Staff | Operator | None, right: Right, union: Union, *, within: models.Model | None = None
    ) -> None:
        """Raise `NotAllowed` unless `allows`."""
        if not self.allows(staff, right, union, within=within):
            raise NotAllowed(right, union)

    def roles(self, right: Right) -> frozenset[Role]:
        """The roles that give `right`."""
        return self._roles[right]


policy = Policy()
declare = policy.declare

BROWSE_UNIONS = declare("unions.browse", roles=UNION_ROLES)
MANAGE_UNIONS = declare("unions.manage", roles=[Role.ADMINISTRATOR])
SEE_POSTS = declare("people.see_posts", roles=[Role.ADMINISTRATOR, Role.CADRE])
MANAGE_POSTS = declare("people.manage_posts", roles=[Role.ADMINISTRATOR])
MANAGE_MERCHANTS = declare("people.manage_merchants", roles=[Role.ADMINISTRATOR, Role.CADRE])
MANAGE_CASHIERS = declare("people.manage_cashiers", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.MERCHANT])
SEE_WORKERS = declare("people.see_workers", roles=[Role.ADMINISTRATOR, Role.CADRE])
UNMASK = declare("people.unmask", roles=[Role.ADMINISTRATOR, Role.CADRE])
READ_AUDIT = declare("audit.read", roles=[Role.ADMINISTRATOR])
