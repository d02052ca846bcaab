# Every target sets up what it needs. Requirements: Python 3.11+, Node 20+, make.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup contracts demo serve test check bench bench-gas mutate slither coverage format clean

PY := .venv/bin/python
PYTHON ?= python3
TRACE ?=

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# --- set-up: each stamp is redone when its lock file changes -----------------------------------

build/.tools:
	@bash tools/require
	@mkdir -p build && touch $@

build/uv/bin/uv: | build/.tools
	@$(PYTHON) -m venv build/uv && build/uv/bin/pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'

build/.service: pyproject.toml uv.lock | build/uv/bin/uv
	@echo "installing the service"
	@build/uv/bin/uv sync --quiet --locked && touch $@

build/.node: package.json package-lock.json | build/.tools
	@echo "installing compiler, OpenZeppelin, anvil and forge"
	@npm ci --ignore-scripts --silent --no-fund --no-audit && mkdir -p build && touch $@

build/.brownie: pyproject.toml uv.lock | build/uv/bin/uv
	@echo "installing brownie"
	@UV_PROJECT_ENVIRONMENT=.venv-contracts build/uv/bin/uv sync --quiet --locked --no-default-groups --group contracts && touch $@

build/.contracts: $(shell find contracts -name '*.sol') brownie-config.yaml build/.node build/.brownie
	@echo "compiling contracts"
	@tools/brownie compile > build/compile.log || { cat build/compile.log; exit 1; }
	@test -f build/contracts/TrancheToken.json || { cat build/compile.log; exit 1; }
	@touch $@

setup: build/.service build/.contracts ## Install everything and compile the contracts

contracts: build/.contracts ## Compile the contracts

# --- use ---------------------------------------------------------------------------------------

demo: setup ## The main job, end to end, on a local chain (TRACE=folder: on a Helios trace)
	@$(PY) -m scripts.demo $(if $(TRACE),--trace $(TRACE))

serve: setup ## The same stack, kept running, with its addresses printed
	@$(PY) -m scripts.demo --keep

bench: setup ## Print throughput figures and ratios
	@$(PY) -m scripts.bench

build/.bench-gas: $(wildcard tools/bench-gas/*.json tools/bench-gas/*.js tools/bench-gas/src/*.sol) build/.node
	@echo "installing and compiling the peers"
	@npm ci --prefix tools/bench-gas --ignore-scripts --silent --no-fund --no-audit
	@node tools/bench-gas/compile.js build/bench-gas/peers && touch $@

bench-gas: setup build/.bench-gas ## Print gas beside its goals and peers (WRITE=1: into docs/BENCHMARKS.md)
	@$(PY) -m scripts.bench_gas $(if $(WRITE),--write)

# --- quality -----------------------------------------------------------------------------------

test: setup ## Run all tests
	@tools/test

check: build/.service build/.node ## Lint, types, formatting
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@node_modules/.bin/forge fmt --check
	@node_modules/.bin/solhint --disc --max-warnings 0 'contracts/**/*.sol'
	@echo "check: fine"

mutate: build/.service build/.node ## Break the contracts line by line; tests must notice (20 minutes)
	@$(PY) -m scripts.mutate

build/.slither: | build/uv/bin/uv
	@echo "installing slither"
	@build/uv/bin/uv venv --quiet --clear build/slither
	@build/uv/bin/uv pip install --quiet --python build/slither/bin/python slither-analyzer==0.11.6 && touch $@

slither: build/.service build/.node build/.slither ## Static analysis of the contracts
	@$(PY) -m scripts.slither

coverage: build/.node ## Coverage of the contracts by forge's tests
	@FORGE_SNAPSHOT_EMIT=false FOUNDRY_INVARIANT_RUNS=4 FOUNDRY_FUZZ_RUNS=32 node_modules/.bin/forge coverage --report summary --report lcov --report-file build/lcov.info \
	  --no-match-coverage '(tests|contracts/mocks)/' --no-match-contract Gas > build/coverage.txt || { tail -40 build/coverage.txt; exit 1; }
	@sed -n '/% Branches/,$$p' build/coverage.txt

format: build/.service build/.node ## Format the code
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix . && node_modules/.bin/forge fmt

clean: ## Remove what was built and installed
	@rm -rf build .venv .venv-contracts node_modules tools/bench-gas/node_modules var .mypy_cache .ruff_cache .pytest_cache .hypothesis
