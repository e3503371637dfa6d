# `make run` opens the app, `make test` passes every test; both set up .venv first and only when something changed.

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet --constraint constraints.txt

# TensorFlow's wheels decide which Pythons will do; PYTHON=… chooses another.
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python,\
  $(shell $(name) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $(name))))

# Two at a time: TensorFlow itself uses several cores. What starts engines or browsers shares one line (tests/conftest.py).
PYTEST := $(PY) -m pytest --numprocesses 2 --dist loadgroup

# Where there is a screen the page opens by itself; elsewhere its address is printed.
SCREEN := $(or $(DISPLAY),$(WAYLAND_DISPLAY),$(filter Darwin,$(shell uname -s)))
STREAMLIT := $(VENV)/bin/streamlit run app.py --server.showEmailPrompt false $(if $(SCREEN),--server.headless false)

.DEFAULT_GOAL := help
.PHONY: help run dev gpu setup chromium check format test test-fast bench bars screenshot clean

help: ## list what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | sort | awk -F '\t' '{printf "make %-12s %s\n", $$1, $$2}'

$(PY):
	@test -n "$(PYTHON)" || { echo "No Python 3.11 to 3.13 found. Install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)…"
	@$(PYTHON) -m venv $(VENV) || { echo "Debian and Ubuntu keep venv apart: apt-get install python3-venv" >&2; rm -rf $(VENV); exit 1; }

# A stamp is newer than what it was installed from, so that nothing is installed twice.
$(VENV)/.run: requirements.txt constraints.txt pyproject.toml | $(PY)
	@echo "Installing what the app needs (TensorFlow is large: some minutes the first time)…"
	@$(PIP) --requirement requirements.txt --editable .
	@$(PY) -m compileall -q app.py pages playground # or the first start would, while somebody waits
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@echo "Installing what the tests need…"
	@$(PIP) --requirement requirements-dev.txt
	@touch $@

setup: $(VENV)/.dev ## set up .venv for work on the project

gpu: $(VENV)/.run ## add the CUDA libraries for an NVIDIA GPU
	$(PIP) --requirement requirements-gpu.txt

run: $(VENV)/.run ## open the app
	$(STREAMLIT)

dev: $(VENV)/.dev ## open the app; it reloads when a file changes
	$(STREAMLIT) --server.fileWatcherType auto --server.runOnSave true

check: $(VENV)/.dev ## lint, formatting, types, floors
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

format: $(VENV)/.dev ## format the code and mend what ruff can mend
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

chromium: $(VENV)/.dev
	@$(PY) -m tests.browser.chromium

test: $(VENV)/.dev chromium ## every test
	$(PYTEST)

test-fast: $(VENV)/.dev ## the tests that need no TensorFlow, no engine and no browser
	$(PYTEST) -m "not keras and not engine and not browser"

bench: $(VENV)/.dev chromium ## the benchmarks
	$(PY) -m benchmarks

bars: $(VENV)/.dev chromium ## the long checks: scores over seeds, speed, kills (an hour)
	$(PY) -m benchmarks.bars

screenshot: $(VENV)/.dev chromium ## renew the README's picture from the running app
	$(PY) -m tests.browser.screenshot

clean: ## remove .venv and every cache
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
