"""What runs by itself in this room."""

from . import finance_tasks as finance_tasks  # payments, cut-offs, nightly checks
