"""What is stored of the benefits room."""

from .budgets import SHARDS, WHOLE, Budget, BudgetShard, PlaceDay, Span
from .cards import OfferCard
from .codes import CodeSighting, HouseKey, Phone, PhoneCertificate
from .counters import CounterPost, Serving
from .exclusions import AppealState, Exclusion
from .ledger import Account, AccountKind, Entry, LedgerTransaction, Seal, TransactionKind
from .lotteries import Lottery, LotteryTicket
from .offers import FUNDING, BenefitOffer, OfferShare, PartyKind
from .payments import OPEN_PAYMENTS, MerchantAccount, Payment, PaymentChannel, PaymentState, PaymentStep
from .programme import PROVEN_KINDS, Allotment, Period, Programme, ProgrammeKind, ProgrammeState, clock
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
from .uploads import Upload, UploadReason, UploadState
from .vouchers import Voucher, VoucherBatch

__all__ = [
    "FUNDING",
    "OPEN_PAYMENTS",
    "PROVEN_KINDS",
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
    "CodeSighting",
    "CounterPost",
    "CutOff",
    "CutOffKind",
    "Difference",
    "DifferenceKind",
    "DifferenceState",
    "Entry",
    "Exclusion",
    "HouseKey",
    "LedgerTransaction",
    "LineKind",
    "Lottery",
    "LotteryTicket",
    "MerchantAccount",
    "OfferCard",
    "OfferShare",
    "PartyKind",
    "Payment",
    "PaymentChannel",
    "PaymentState",
    "PaymentStep",
    "Payout",
    "PayoutItem",
    "Period",
    "Phone",
    "PhoneCertificate",
    "PlaceDay",
    "Programme",
    "ProgrammeKind",
    "ProgrammeState",
    "Reconciliation",
    "Redemption",
    "RedemptionState",
    "Seal",
    "Serving",
    "Signal",
    "SignalKind",
    "SignalRules",
    "SignalState",
    "Span",
    "Statement",
    "StatementLine",
    "StatementState",
    "TransactionKind",
    "Upload",
    "UploadReason",
    "UploadState",
    "Voucher",
    "VoucherBatch",
    "clock",
]
