"""Who may do what with benefits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yizhan.unions.rights import Role, declare, policy

if TYPE_CHECKING:
    from yizhan.places.models import Place
    from yizhan.unions.models import Staff

# The engine: programmes, redemptions, budgets.
VIEW_PROGRAMMES = declare(
    "benefits.view", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.KEEPER, Role.FINANCE, Role.READER]
)
MANAGE_PROGRAMMES = declare("benefits.manage", roles=[Role.ADMINISTRATOR, Role.CADRE])
SET_BUDGETS = declare("benefits.budgets", roles=[Role.ADMINISTRATOR, Role.FINANCE])
EXCLUDE_WORKERS = declare("benefits.exclude", roles=[Role.ADMINISTRATOR, Role.CADRE])
REFUND = declare("benefits.refund", roles=[Role.ADMINISTRATOR, Role.FINANCE])
DECIDE_EXCEPTIONS = declare("benefits.decide", roles=[Role.ADMINISTRATOR, Role.FINANCE])
REDEEM = declare("benefits.redeem", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.KEEPER, Role.MERCHANT, Role.CASHIER])

# The counter: a merchant's own page, and the counter itself.
SEE_MERCHANT = declare(
    "benefits.merchant", roles=[Role.ADMINISTRATOR, Role.CADRE, Role.FINANCE, Role.READER, Role.MERCHANT]
)


def _counters(staff: Staff) -> list[Place]:
    from .queries.counters import places_of_post  # when rights are declared there are no models yet

    return places_of_post(staff)


policy.find_bounds_by(_counters)

# Money: statements, payouts, reconciliation, signals. Four eyes are a rule of the services, not of the roles.
VIEW_MONEY = declare("benefits.view_money", roles=[Role.ADMINISTRATOR, Role.FINANCE, Role.READER])
VIEW_STATEMENTS = declare(
    "benefits.view_statements", roles=[Role.ADMINISTRATOR, Role.FINANCE, Role.CADRE, Role.READER, Role.MERCHANT]
)
SETTLE = declare("benefits.settle", roles=[Role.FINANCE])
CONFIRM_STATEMENTS = declare("benefits.confirm_statements", roles=[Role.MERCHANT, Role.FINANCE, Role.CADRE])
APPROVE_STATEMENTS = declare("benefits.approve_statements", roles=[Role.ADMINISTRATOR, Role.FINANCE])
PAY_OUT = declare("benefits.pay_out", roles=[Role.FINANCE])
RECONCILE = declare("benefits.reconcile", roles=[Role.ADMINISTRATOR, Role.FINANCE])
REVIEW_SIGNALS = declare("benefits.review_signals", roles=[Role.ADMINISTRATOR, Role.FINANCE])
SET_SIGNAL_RULES = declare("benefits.signal_rules", roles=[Role.ADMINISTRATOR])
EXPORT_MONEY = declare("benefits.export_money", roles=[Role.ADMINISTRATOR, Role.FINANCE])
