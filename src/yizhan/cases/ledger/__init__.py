"""The task ledger: rolled-up progress, its sheet, and reading it."""
