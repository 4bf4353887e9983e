"""What is stored of the benefits room."""

from .budgets import SHARDS, WHOLE, Budget, BudgetShard, PlaceDay, Span
from .exclusions import AppealState, Exclusion
from .ledger import Account, AccountKind, Entry, LedgerTransaction, Seal, TransactionKind
from .lotteries import Lottery, LotteryTicket
from .offers import FUNDING, BenefitOffer, OfferShare, PartyKind
from .programme import Allotment, Period, Programme, ProgrammeKind, ProgrammeState, clock
from .redemptions import Channel, Redemption, RedemptionState

__all__ = [
    "FUNDING",
    "SHARDS",
    "WHOLE",
    "Account",
    "AccountKind",
    "Allotment",
    "AppealState",
    "BenefitOffer",
    "Budget",
    "BudgetShard",
    "Channel",
    "Entry",
    "Exclusion",
    "LedgerTransaction",
    "Lottery",
    "LotteryTicket",
    "OfferShare",
    "PartyKind",
    "Period",
    "PlaceDay",
    "Programme",
    "ProgrammeKind",
    "ProgrammeState",
    "Redemption",
    "RedemptionState",
    "Seal",
    "Span",
    "TransactionKind",
    "clock",
]
