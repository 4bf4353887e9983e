"""Addresses of finance's pages."""

from django.urls import URLPattern, path

from .views import checking_pages as checking
from .views import money_pages as money
from .views import payout_pages as payouts

_BASE = "desk/benefits/money/"

patterns: list[URLPattern] = [
    path(_BASE, money.overview, name="money"),
    path(f"{_BASE}cut-off/", money.cut_off, name="cut_off"),
    path(f"{_BASE}funding/", money.funding, name="funding"),
    path(f"{_BASE}funding.<str:form>", money.export_funding, name="funding_export"),
    path(f"{_BASE}statements/", money.statements, name="statements"),
    path(f"{_BASE}statements/<uuid:public_id>/", money.statement, name="statement"),
    path(f"{_BASE}statements/<uuid:public_id>/file.<str:form>", money.statement_file, name="statement_file"),
    path(f"{_BASE}statements/<uuid:public_id>/confirm/", money.confirm, name="statement_confirm"),
    path(f"{_BASE}statements/<uuid:public_id>/dispute/", money.dispute, name="statement_dispute"),
    path(f"{_BASE}statements/<uuid:public_id>/approve/", money.approve, name="statement_approve"),
    path(f"{_BASE}statements/<uuid:public_id>/lines/<uuid:line_id>/answer/", money.answer, name="line_answer"),
    path(f"{_BASE}payouts/", payouts.payouts, name="payouts"),
    path(f"{_BASE}payouts/make/", payouts.make, name="payout_make"),
    path(f"{_BASE}payouts/<uuid:public_id>/", payouts.payout, name="payout"),
    path(f"{_BASE}payouts/<uuid:public_id>/file.<str:form>", payouts.payout_file, name="payout_file"),
    path(f"{_BASE}payouts/<uuid:public_id>/paid/", payouts.paid, name="payout_paid"),
    path(f"{_BASE}payouts/<uuid:public_id>/cancel/", payouts.cancel, name="payout_cancel"),
    path(f"{_BASE}merchants/", payouts.merchants, name="merchant_accounts"),
    path(f"{_BASE}merchants/<uuid:public_id>/", payouts.merchant_account, name="merchant_account"),
    path(f"{_BASE}exceptions/", checking.exceptions, name="exceptions"),
    path(f"{_BASE}exceptions/<uuid:public_id>/decide/", checking.decide_exception, name="exception_decide"),
    path(f"{_BASE}uploads/<uuid:public_id>/decide/", checking.decide_upload, name="upload_decide"),
    path(f"{_BASE}reconciliation/", checking.reconciliation, name="reconciliation"),
    path(f"{_BASE}reconciliation/run/", checking.reconcile_now, name="reconcile_now"),
    path(f"{_BASE}differences/<uuid:public_id>/resolve/", checking.resolve_difference, name="difference_resolve"),
    path(f"{_BASE}signals/", checking.signals, name="signals"),
    path(f"{_BASE}signals/limits/", checking.signal_rules, name="signal_rules"),
    path(f"{_BASE}signals/<uuid:public_id>/review/", checking.review_signal, name="signal_review"),
    path(f"{_BASE}export/", checking.export, name="money_export"),
    path(f"{_BASE}export/redemptions.<str:form>", checking.export_redemptions, name="redemptions_export"),
]
