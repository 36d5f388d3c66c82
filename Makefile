# Each target is complete on a machine that has Python 3.10 or newer, make and access to a package registry.
#
#   make demo        the linter on the bundled examples
#   make test        lint, types, tests
#   make test-all    the same, on every interpreter found and every start method
#   make primer      the linter on real packages, compared with what is recorded of them
#   make bench       the speed table
#   make clean       remove the environment and what the tools left behind
#
# Another interpreter and environment: make test VENV=.venv312 PYTHON=python3.12

VENV ?= .venv
JOBS ?= 2
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --quiet --disable-pip-version-check

# The first of these that runs, is new enough and can make environments: `python3` may be 3.8, a shim of a
# version manager may stand for nothing, and Debian ships Python without ensurepip.
PYTHONS = $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python3.14 python3.10 python)

# Directories too: removing a file changes nothing but the directory.
SOURCES := $(shell find src -not -name __pycache__ -not -name '*.pyc')

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test test-all check primer bench clean

help:
	@sed -n 's/^#   //p' Makefile

# The examples have findings, so that the linter exits with 1: anything else is a failure here.
demo: $(VENV)/package.stamp
	@status=0; $(BIN)/flushlint check --output-format full examples/ || status=$$?; \
	if [ $$status -ne 1 ]; then \
	    echo "make demo: expected findings (exit status 1), got exit status $$status" >&2; exit 1; \
	fi

check: $(VENV)/dev.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

test: check
	$(BIN)/python -m pytest -n $(JOBS) -m "not matrix and not third_party"

test-all: check
	$(BIN)/python -m pytest -n $(JOBS)

# Downloads some 250 MB, once, to $FLUSHLINT_PRIMER_CACHE or below the user's cache.
primer: $(VENV)/dev.stamp
	$(BIN)/python -m tests.primer run --jobs $(JOBS)

bench: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

# An environment that works is kept and brought up to date when pyproject.toml changes; `make clean` starts afresh.
$(VENV)/environment.stamp: pyproject.toml
	@if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	    for python in $(PYTHONS); do \
	        "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || continue; \
	        echo "$(VENV): $$("$$python" --version) ($$python)"; \
	        "$$python" -m venv --clear $(VENV); break; \
	    done; \
	fi
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
	    echo "make: no Python 3.10 or newer with venv and ensurepip among: $(PYTHONS)" >&2; exit 1; }
	@touch $@

# The package as a user gets it, built and installed, never linked to the sources.
$(VENV)/package.stamp: $(VENV)/environment.stamp $(SOURCES)
	$(PIP) install .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/environment.stamp $(SOURCES)
	$(PIP) install '.[dev]'
	@touch $(VENV)/package.stamp $@
