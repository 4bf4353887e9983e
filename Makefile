# Yizhan 驿站. Needs only Python >= 3.11, git and make: everything else comes from the lock files.

PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$name >/dev/null 2>&1 && $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' && echo $$name && break; done)
UV = $(shell $(PYTHON) scripts/bootstrap.py)
RUN = $(UV) run --no-sync
# Tests share a machine with their browser and database: two at a time do best on two cores.
TESTS_AT_ONCE ?= auto

export UV_PYTHON_PREFERENCE = only-system
# Trust what the machine trusts: offices often stand behind a certificate authority of their own.
export UV_SYSTEM_CERTS = 1
export NODE_USE_SYSTEM_CA = 1

.DEFAULT_GOAL := help
.PHONY: help install frontend demo stop serve test test-frontend lint format docs bench clean

help: ## Say what each target does
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

install: ## Install everything the project needs into .venv
	@test -n "$(PYTHON)" || { echo "Yizhan needs Python 3.11 or newer as python3"; exit 1; }
	@$(UV) sync --quiet --locked
	@$(RUN) python -m yizhan.site.messages compile

frontend: install ## Build the browser's part (Node comes as a Python wheel)
	@$(RUN) python -m yizhan.site.frontend build

demo: frontend ## Fill a sample city, start everything and simulated riders, print address and accounts
	@exec $(RUN) yizhan demo

stop: install ## Stop the demo, wherever it was started
	@$(RUN) yizhan stop --demo

serve: frontend ## Serve this installation as the environment says
	@exec $(RUN) yizhan serve

test: frontend ## Run all tests (embedded PostgreSQL, or the server that DATABASE_URL names)
	@$(RUN) pytest -n $(TESTS_AT_ONCE) $(PYTEST_OPTIONS)

test-frontend: install ## Run the unit tests of the browser's part
	@$(RUN) python -m yizhan.site.frontend test

lint: install ## Check style, types, floors of the house, migrations, Chinese and the browser's part
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@$(RUN) lint-imports --no-cache
	@$(RUN) python -m yizhan.site.messages check
	@$(RUN) yizhan manage makemigrations --check --dry-run
	@$(RUN) python -m yizhan.site.frontend lint

format: install ## Format the code
	@$(RUN) ruff check --fix --quiet . ; $(RUN) ruff format --quiet .

docs: install ## Build the documentation into site-docs/
	@$(UV) run --group docs mkdocs build --strict --quiet

bench: install ## Run every benchmark quickly, beside the peers that are installed
	@for name in datum places passage ingest redeem feeds money cases dispatch; do $(UV) run --group bench python -m benchmarks.$$name --quick || exit 1; done

clean: ## Remove what was built or installed (the data in var/ stays)
	rm -rf .venv frontend/node_modules src/yizhan/web/static/web/built site-docs var/static
