"""PostgreSQL from a wheel, started on first use: the database of demos, tests and small installations."""
