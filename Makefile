# Everything here works on a fresh clone: each target first gets what it needs.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
TARGET ?= sandbox
CLIENT ?= payments
ARGS ?=
FUZZ_COUNT ?= 200000
FUZZ_SEED ?= 1
FUZZ_POLICY_COUNT ?= 1000000
BENCH_ARGS ?=
BROWSERS := chromium chromium-browser google-chrome google-chrome-stable

VENV := .venv
BIN := $(VENV)/bin
CROSSKEYS := $(BIN)/crosskeys

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16
	@echo
	@echo 'TARGET=live plans and applies with the credentials in the environment; ARGS="--client payments" narrows a run.'

.PHONY: setup
setup: $(VENV)/installed ## Make the Python environment in .venv

$(VENV)/installed: requirements-dev.txt pyproject.toml
	@echo 'setup: making the Python environment in $(VENV)'
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "crosskeys needs Python 3.11 or newer; set PYTHON=")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes --no-deps -r requirements-dev.txt
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: toolchain
toolchain: setup ## Get Terraform's providers and a Vault server ready (built once, from pinned Go modules)
	@$(BIN)/python -m generator.sandbox.toolchain

.PHONY: browser
browser: ## Find a Chromium for the tests of the HTML page; as root, install one where apt-get can
	@for name in $(BROWSERS); do if type -P $$name >/dev/null; then exit 0; fi; done; \
	if [ "$$(id -u)" = 0 ] && type -P apt-get >/dev/null; then \
	  echo 'browser: installing chromium'; \
	  apt-get update -qq; \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	else \
	  echo 'browser: the tests need one of $(BROWSERS) on PATH; install Chromium with the packages of your system' >&2; \
	  exit 1; \
	fi

.PHONY: validate render check audit
validate: setup ## Read every manifest and apply every rule
	@$(CROSSKEYS) validate $(ARGS)
render: setup ## Render clients/ into terraform/
	@$(CROSSKEYS) render $(ARGS)
check: setup ## All that a pull request needs, without credentials
	@$(CROSSKEYS) check $(ARGS)
audit: setup ## Prove that no client reaches what is another's; ARGS="--report html --out review.html"
	@$(CROSSKEYS) audit $(ARGS)

.PHONY: verify doctor
verify: setup ## Compare live Vault and AWS with what was reviewed: in the sandbox, or with TARGET=live
	@$(CROSSKEYS) verify --target $(TARGET) $(ARGS)
doctor: setup ## Look at all that a run needs, and say what to do: for the sandbox, or with TARGET=live
	@$(CROSSKEYS) doctor --target $(TARGET) $(ARGS)

.PHONY: plan apply
plan: setup ## Show what Terraform would change: in the sandbox, or with TARGET=live
	@$(CROSSKEYS) plan --target $(TARGET) $(ARGS)
ifeq ($(TARGET),live)
apply: setup ## Render, plan and apply; in the sandbox, show CLIENT=payments logging in
	@$(CROSSKEYS) apply --target live $(ARGS)
else
apply: setup
	@$(CROSSKEYS) render
	@$(CROSSKEYS) apply --target $(TARGET) --yes $(ARGS)
	@echo
	@$(CROSSKEYS) sandbox login $(CLIENT)
endif

.PHONY: sandbox-up sandbox-down sandbox-status login
sandbox-up: setup ## Bring the sandbox up: a real Vault and an AWS stand-in on loopback
	@$(CROSSKEYS) sandbox up
sandbox-down: setup ## End the sandbox's servers
	@$(CROSSKEYS) sandbox down
sandbox-status: setup ## Show how the sandbox's servers are
	@$(CROSSKEYS) sandbox status
login: setup ## Log in to the sandbox as CLIENT=payments and try every door
	@$(CROSSKEYS) sandbox login $(CLIENT)

.PHONY: test coverage fuzz lint
test: toolchain browser lint ## Everything: lint, types, layers, and all tests on the real parts
	@$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)
coverage: toolchain browser ## All tests, half as long again, and the lines of the package that none of them reaches
	@$(BIN)/python -m pytest -n auto --dist loadfile --cov --cov-report=term $(ARGS)
fuzz: toolchain ## Try FUZZ_COUNT=200000 changed manifests and rendered files, and FUZZ_POLICY_COUNT=1000000 answers of Vault; FUZZ_SEED=2 for others
	@$(BIN)/python -m tests.hostile.fuzz $(FUZZ_COUNT) --seed $(FUZZ_SEED)
	@$(BIN)/python -m tests.differential.compare $(FUZZ_POLICY_COUNT) --seed $(FUZZ_SEED)
	@$(BIN)/python -m tests.audit.differential $(FUZZ_COUNT) --seed $(FUZZ_SEED)
lint: setup ## Lint, types, and the one-way flow of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: bench
bench: setup ## Measure beside Terramate and plain Terraform into docs/benchmarks.md; BENCH_ARGS="--sizes 100000" for more
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)
.PHONY: bench-operations
bench-operations: toolchain ## Measure applying, changing, retiring and renaming in the sandbox; BENCH_ARGS="--accounts 10" for less
	@$(BIN)/python -m benchmarks.operations $(BENCH_ARGS)

.PHONY: lock schemas clean
lock: setup ## Renew the hash-locked requirements (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev pyproject.toml -o requirements-dev.txt
schemas: setup ## Write the JSON Schemas from the models
	@$(CROSSKEYS) schema --write schemas
clean: setup ## End the sandbox and remove what runs have left
	@$(CROSSKEYS) sandbox down
	rm -rf .crosskeys
