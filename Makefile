# Two commands do everything: `make rehearse` and `make test`. `make help` lists the rest.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
STACK ?= staging
AGAINST ?= origin/main
USERS ?= 1000
SEED ?= 1
.DEFAULT_GOAL := help
export PYTHONDONTWRITEBYTECODE :=  # hundreds of processes would compile the project again
.PHONY: help rehearse preview policy test lint unit coverage fuzz tools checkers bench bench-functions faults load soak \
	lives region down clean image scan deploy deployed kubeconfig release verify back admitted drift visitors drill points \
	report restore-test

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

rehearse: $(VENV)/.ready tools ## build an environment on this machine (STACK=staging) and show it
	@$(BIN)/candlefish rehearse up --stack $(STACK)

preview: $(VENV)/.ready ## what this copy would change (AGAINST=origin/main): preview.md, .html and .json
	@$(BIN)/candlefish preview --stack all --against "$(AGAINST)" --output preview.md --output preview.html --output preview.json

policy: $(VENV)/.ready ## every security control against every resource of every stack
	@$(BIN)/candlefish policy check --stack all

test: $(VENV)/.ready tools checkers lint ## every check: lint, types, imports, tests of all tiers
	@$(BIN)/python -m pytest -n 2 tests/unit tests/functions
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder tests/e2e tests/rehearsal tests/cluster

lint: $(VENV)/.ready ## ruff, mypy --strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

unit: $(VENV)/.ready ## the tests that start no process
	@$(BIN)/python -m pytest -n 2 tests/unit

coverage: $(VENV)/.ready ## the same and the functions', and how much they run: 80 % at least (pyproject.toml)
	@$(BIN)/python -m pytest -n 2 --cov --cov-report=term tests/unit tests/functions

fuzz: $(VENV)/.ready ## damaged stack files, read and previewed (FUZZ="--seed 7 --count 1500")
	@$(BIN)/python -m tests.settings_fuzz $(FUZZ)

tools: $(VENV)/.ready ## the Kubernetes binaries, found or built
	@$(BIN)/python -m rehearsal.kubernetes.toolchain

checkers: $(VENV)/.ready ## what only tests need, found or built: promtool, actionlint, Helm
	@$(BIN)/python -m tests.promtool
	@$(BIN)/python -m tests.actionlint
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

lives: $(VENV)/.ready tools ## staging, recovery and production from nothing to nothing, as `make test` does with development
	@CANDLEFISH_LIVES=1 $(BIN)/python -m pytest tests/e2e/test_lives.py

region: $(VENV)/.ready tools ## a region is lost, rebuilt in another one, taken over and given back
	@$(BIN)/python -m tests.region

# -- what pipelines run; each works from a laptop with the credentials for it (docs/pipelines.md) ----------------------

image: ## build an image of images/ (IMAGE=maintenance)
	@docker build --pull --tag "candlefish/$(IMAGE):scan" "images/$(IMAGE)"

scan: ## scan it (IMAGE=maintenance): fails for what is serious and has a mend
	@trivy image --exit-code 1 --severity HIGH,CRITICAL --ignore-unfixed --scanners vuln,secret,misconfig "candlefish/$(IMAGE):scan"

deploy: $(VENV)/.ready ## bring a stack up to date, under the policies (STACK=staging)
	@pulumi up --stack "$(STACK)" --yes --non-interactive --policy-pack policy

deployed: ## the commit that a stack was deployed from, as commit=… (STACK=staging)
	@pulumi stack history --stack "$(STACK)" --json --page-size 20 | ./scripts/deployed-commit

kubeconfig: ## sign in to a stack's cluster (STACK=staging)
	@aws eks update-kubeconfig --name "$$(pulumi stack output clusterName --stack "$(STACK)")"

release: $(VENV)/.ready ## bring a release to a service (STACK=staging SERVICE=website IMAGE=name@sha256:… CANARY=canary)
	@$(BIN)/candlefish rollout start "$$SERVICE" --stack "$(STACK)" --image "$$IMAGE" --on-hold abort $${CANARY:+--strategy canary}

verify: $(VENV)/.ready ## whether a stack works, from outside and inside (STACK=staging): verification.xml
	@$(BIN)/candlefish verify --stack "$(STACK)" --junit verification.xml

back: $(VENV)/.ready ## take a release back, then deploy an earlier commit again (STACK=staging COMMIT=… SERVICE=website)
	@if [ "$$RELEASED" = success ]; then $(BIN)/candlefish rollout rollback "$$SERVICE" --stack "$(STACK)"; fi
	@if [ -z "$$COMMIT" ]; then echo "no commit to go back to: this was the stack's first deployment" >&2; exit 1; fi
	@folder=$$(mktemp -d) && git worktree add --quiet --detach "$$folder" "$$COMMIT" \
		&& $(MAKE) -C "$$folder" deploy STACK="$(STACK)"; code=$$?; git worktree remove --force "$$folder"; exit $$code

admitted: ## whether this commit was deployed to a stack with success (STACK=staging)
	@./scripts/admitted "$(STACK)"

# What the role of this job may not read is not refreshed: contents and secrets.
drift: $(VENV)/.ready ## whether a stack is what this copy says (STACK=staging); reads only
	@pulumi preview --stack "$(STACK)" --refresh --expect-no-changes --diff --non-interactive --suppress-outputs \
		--exclude '**secretsmanager/secretVersion:SecretVersion**' --exclude '**lambda/function:Function**' \
		--exclude '**cognito/userPoolClient:UserPoolClient**' --exclude '**kubernetes:core/v1:Secret**'

visitors: ## visitors of a real environment (BASE=https://… API=https://… USERS=1000); needs k6
	@k6 run -e BASE="$(BASE)" -e API="$(API)" -e USERS="$(USERS)" tests/load/journey.js

drill: $(VENV)/.ready tools ## every disaster in a rehearsed environment (SEED=1): drill.json
	@$(BIN)/candlefish recovery drill --disaster all --seed "$(SEED)" --json > drill.json

points: $(VENV)/.ready ## whether a stack could be brought back now (STACK=production)
	@$(BIN)/candlefish recovery points --stack "$(STACK)"

down: $(VENV)/.ready ## stop what `make rehearse` left running
	@$(BIN)/candlefish rehearse down

report: $(VENV)/.ready ## what operations know of the last month (STACK=production): report.md
	@$(BIN)/candlefish report monthly --stack "$(STACK)" > report.md

restore-test: $(VENV)/.ready ## the database's newest point restored, checked and removed (STACK=production): restore.md
	@$(BIN)/candlefish recovery validate --stack "$(STACK)" --report restore.md

clean: ## stop everything and remove what was made here
	@if [ -x $(BIN)/candlefish ]; then $(BIN)/candlefish rehearse reset --yes; fi
	rm -rf $(VENV) .rehearsal

$(VENV)/.ready: requirements.txt requirements-dev.txt constraints.txt pyproject.toml
	@python=$$(./scripts/find-python) || exit 1; echo "virtual environment: $(VENV) ($$python)"; \
	"$$python" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
