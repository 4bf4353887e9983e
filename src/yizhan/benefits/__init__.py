"""Funded benefits: programmes, redemption, the ledger, settlement."""
