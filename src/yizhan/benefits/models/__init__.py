"""What is stored of the benefits room."""

from .budgets import SHARDS, WHOLE, Budget, BudgetShard, PlaceDay, Span
from .exclusions import AppealState, Exclusion
from .ledger import Account, AccountKind, Entry, LedgerTransaction, Seal, TransactionKind
from .lotteries import Lottery, LotteryTicket
from .offers import FUNDING, BenefitOffer, OfferShare, PartyKind
from .payments import OPEN_PAYMENTS, MerchantAccount, Payment, PaymentChannel, PaymentState, PaymentStep
from .programme import Allotment, Period, Programme, ProgrammeKind, ProgrammeState, clock
from .reconciliation import Difference, DifferenceKind, DifferenceState, Reconciliation
from .redemptions import Channel, Redemption, RedemptionState
from .settlement import (
    CutOff,
    CutOffKind,
    LineKind,
    Payout,
    PayoutItem,
    Statement,
    StatementLine,
    StatementState,
)
from .signals import SIGNAL_LIMITS, Signal, SignalKind, SignalRules, SignalState

__all__ = [
    "FUNDING",
    "OPEN_PAYMENTS",
    "SHARDS",
    "SIGNAL_LIMITS",
    "WHOLE",
    "Account",
    "AccountKind",
    "Allotment",
    "AppealState",
    "BenefitOffer",
    "Budget",
    "BudgetShard",
    "Channel",
    "CutOff",
    "CutOffKind",
    "Difference",
    "DifferenceKind",
    "DifferenceState",
    "Entry",
    "Exclusion",
    "LedgerTransaction",
    "LineKind",
    "Lottery",
    "LotteryTicket",
    "MerchantAccount",
    "OfferShare",
    "PartyKind",
    "Payment",
    "PaymentChannel",
    "PaymentState",
    "PaymentStep",
    "Payout",
    "PayoutItem",
    "Period",
    "PlaceDay",
    "Programme",
    "ProgrammeKind",
    "ProgrammeState",
    "Reconciliation",
    "Redemption",
    "RedemptionState",
    "Seal",
    "Signal",
    "SignalKind",
    "SignalRules",
    "SignalState",
    "Span",
    "Statement",
    "StatementLine",
    "StatementState",
    "TransactionKind",
    "clock",
]
