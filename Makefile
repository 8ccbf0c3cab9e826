# Two commands do everything: `make demo` and `make test`. The rest is for those who build.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One process more than there are cores: the console's tests wait for a screen much of their time.
JOBS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')

.PHONY: demo test setup lint bench torture screenshots tour docs clean

demo: setup
	@$(BIN)/crm demo

test: setup
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -q --durations=15

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

setup: $(VENV)/.ready

# The lock is hashed; the project itself is installed editable, without asking any index.
$(VENV)/.ready: requirements.lock pyproject.toml
	@echo "Setting up $(VENV) (about half a minute the first time)…"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=…"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

bench: setup
	@$(BIN)/python -m tests.bench $(if $(SIZE),--size $(SIZE))

torture: setup
	@$(BIN)/python -m pytest tests/torture -q -x -s
	@TORTURE_LIVES=200 TORTURE_LIFE_STEPS=40 $(BIN)/python -m pytest tests/inbox/test_life.py -q -x

screenshots: setup
	@$(BIN)/python -m tests.screenshots

tour: setup
	@$(BIN)/python -m tests.tour

docs: setup
	@$(BIN)/python -m crm_tui.cli.reference > docs/cli.md
	@$(BIN)/python -m crm_tui.cheat_sheet > docs/keys.md

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
