# Two commands do everything: `make rehearse` and `make test`. `make help` lists the rest.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
STACK ?= staging
AGAINST ?= origin/main
.DEFAULT_GOAL := help
.PHONY: help rehearse preview test lint unit tools checkers bench bench-functions faults load soak region down clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

rehearse: $(VENV)/.ready tools ## build an environment on this machine (STACK=staging) and show it
	@$(BIN)/candlefish rehearse up --stack $(STACK)

preview: $(VENV)/.ready ## what this copy would change (AGAINST=origin/main): preview.md, .html and .json
	@$(BIN)/candlefish preview --stack all --against "$(AGAINST)" --output preview.md --output preview.html --output preview.json

test: $(VENV)/.ready tools checkers lint ## every check: lint, types, imports, tests of all tiers
	@$(BIN)/python -m pytest -n 2 tests/unit tests/functions
	@$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder tests/e2e tests/rehearsal tests/cluster

lint: $(VENV)/.ready ## ruff, mypy --strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

unit: $(VENV)/.ready ## the tests that start no process
	@$(BIN)/python -m pytest -n 2 tests/unit

tools: $(VENV)/.ready ## the Kubernetes binaries, found or built
	@$(BIN)/python -m rehearsal.kubernetes.toolchain

checkers: $(VENV)/.ready ## what only tests need, found or built: promtool, Helm
	@$(BIN)/python -m tests.promtool
	@$(BIN)/python -m rehearsal.kubernetes.toolchain helm

bench: $(VENV)/.ready tools ## measure evaluation, preview, up, no-change up and destroy of every stack
	@$(BIN)/python -m tests.bench $(BENCH)

bench-functions: $(VENV)/.ready ## measure the functions: archives, imports at a cold start, time of their work
	@$(BIN)/python -m tests.bench.functions

faults: $(VENV)/.ready tools ## every call position × fault (FAULTS="--seed 1 --minutes 30 --json")
	@CANDLEFISH_EVERY_POINT=1 $(BIN)/python -m pytest tests/rehearsal/engine/test_engine_crash.py
	@$(BIN)/python -m tests.faults $(FAULTS)

load: $(VENV)/.ready tools ## the served API under load, under attack and with faults (LOAD="--part fuzz --json")
	@$(BIN)/python -m tests.load $(LOAD)

soak: $(VENV)/.ready tools ## rollouts under load, and killed at every write (SOAK="--seed 1 --minutes 30 --part crash")
	@$(BIN)/python -m tests.soak $(SOAK)

region: $(VENV)/.ready tools ## a region is lost, rebuilt in another one, taken over and given back
	@$(BIN)/python -m tests.region

down: $(VENV)/.ready ## stop what `make rehearse` left running
	@$(BIN)/candlefish rehearse down

clean: ## stop everything and remove what was made here
	@if [ -x $(BIN)/candlefish ]; then $(BIN)/candlefish rehearse reset --yes; fi
	rm -rf $(VENV) .rehearsal

$(VENV)/.ready: requirements.txt requirements-dev.txt constraints.txt pyproject.toml
	@python=$$(./scripts/find-python) || exit 1; echo "virtual environment: $(VENV) ($$python)"; \
	"$$python" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
