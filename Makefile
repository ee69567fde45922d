# Every target works in a fresh clone: it makes the virtual environment and installs what it needs.
#
#   make demo     two workers, one killed, and a proof that nothing was lost (about 25 s)
#   make orchestrator   three routines, their operator, and a proof (about 10 s)   ARGS="--url postgresql://…"
#   make charts   charts drawn over HTTP, a worker killed in the middle, and a proof (about 15 s)   ARGS as above
#   make test     the whole test suite           TEST_JOBS=0 for one process, ARGS="-k lease" to choose
#   make check    lint, format, types, layers, size limits
#   make bench    figures of this machine        ARGS is handed on
#   make bench-peers   the same work by other job queues, side by side (12 min)   ARGS is handed on
#   make soak     real processes under faults    ARGS is handed on

SHELL     := /bin/bash
VENV      ?= .venv
PYTHON    ?=
# One more than cores, for many tests wait for processes and servers.
TEST_JOBS ?= $(shell cores=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1); echo $$((cores < 8 ? cores + 1 : 9)))
ARGS      ?=

BIN      := $(VENV)/bin
MADE     := $(VENV)/.made
RUNTIME  := $(VENV)/.installed-runtime
COMPLETE := $(VENV)/.installed-complete
UV       := $(shell command -v uv 2>/dev/null)

.PHONY: demo orchestrator charts test check bench bench-peers soak help
.DEFAULT_GOAL := help

help:
	@sed -n '3,10s/^#  *//p' Makefile

demo: $(RUNTIME)
	$(BIN)/relet demo $(ARGS)

# All that the tests need, so that a PostgreSQL may be named, too.
orchestrator: $(COMPLETE)
	$(BIN)/python -m examples.orchestrator $(ARGS)

charts: $(COMPLETE)
	$(BIN)/python -m examples.charts $(ARGS)

test: $(COMPLETE)
	$(BIN)/python -m pytest -n $(TEST_JOBS) $(ARGS)

check: $(COMPLETE)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -q tests/architecture

bench: $(COMPLETE)
	$(BIN)/python -m benchmarks $(ARGS)

bench-peers: $(COMPLETE)
	$(BIN)/python -m benchmarks.peers $(ARGS)

soak: $(COMPLETE)
	$(BIN)/python -m tests.soak $(ARGS)

# The first Python >= 3.11 that really runs: a version manager's shim may be on the path and still fail.
$(MADE):
	@set -e; \
	if [ ! -x $(BIN)/python ]; then \
	  found=; \
	  for candidate in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
	    if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	      found=$$candidate; break; \
	    fi; \
	  done; \
	  if [ -n "$(UV)" ]; then \
	    echo "Making $(VENV) with uv ($${found:-any Python >= 3.11})"; \
	    uv venv --quiet --python "$${found:-3.13}" $(VENV); \
	  elif [ -z "$$found" ]; then \
	    echo "Relet needs Python 3.11 or newer: none of $(PYTHON) python3.13, python3.12, python3.11, python3 is one." >&2; \
	    echo "Install one, or name it: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; \
	    exit 1; \
	  else \
	    echo "Making $(VENV) with $$found"; \
	    "$$found" -m venv $(VENV) || { rm -rf $(VENV); \
	      echo "$$found cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }; \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip; \
	  fi; \
	fi; \
	touch $@

# `complete` includes `runtime`: whoever has the one does not wait for the other.
define install
	@echo "Installing relet$(1) into $(VENV)"
	@if [ -n "$(UV)" ]; then uv pip install --quiet --python $(BIN)/python -e ".$(1)"; \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".$(1)"; fi
endef

$(RUNTIME): $(MADE) pyproject.toml
	$(call install,)
	@touch $@

$(COMPLETE): $(MADE) pyproject.toml
	$(call install,[test])
	@touch $(RUNTIME) $@
