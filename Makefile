# Every target sets up what it needs. Requirements: Python 3.11+, Node 20+, make.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup contracts web release try-container demo serve test unit thorough check check-python check-solidity check-web coverage-python coverage-contracts coverage-web games ledgers chaos bench bench-gas bench-index foreign mutate slither prove coverage format clean

PY := .venv/bin/python
PYTHON ?= python3
TRACE ?=
# Services, commands and tests are some hundred starts of Python: what it compiles is kept, below
# build/, also where the environment forbids it to write beside the sources.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/pycache

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

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

build/.web-node: web/package.json web/package-lock.json | build/.tools
	@echo "installing the web application's packages"
	@npm ci --prefix web --ignore-scripts --silent --no-fund --no-audit && touch $@

# Types of the API, ABIs of the contracts, lists of states and of pages, made anew when they change: pages that no longer fit do not compile.
build/.web-types: docs/openapi.json scripts/dev/web_types.py api/routes/http/pages.py $(wildcard deployments/*.json) $(shell find api/domain -name '*.py') build/.service build/.contracts build/.web-node
	@$(PY) -m scripts.dev.web_types
	@web/node_modules/.bin/openapi-typescript docs/openapi.json -o web/src/generated/openapi.d.ts > build/web-types.log 2>&1 || { cat build/web-types.log; exit 1; }
	@touch $@

WEB := $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/generated/*')

build/.web: $(WEB) build/.web-types
	@echo "building the web application"
	@cd web && node_modules/.bin/vite build --logLevel warn
	@touch $@

setup: build/.service build/.contracts ## Install everything and compile the contracts

contracts: build/.contracts ## Compile the contracts

# What tests/contracts puts ours together with. The Safe is under the LGPL: used as its package, never copied.
build/.foreign: $(wildcard tools/foreign/*.json tools/foreign/*/package.json) | build/.tools
	@echo "installing a Safe and Seaport, as published"
	@npm ci --prefix tools/foreign --ignore-scripts --silent --no-fund --no-audit && touch $@

foreign: build/.foreign ## Install others' contracts that tests run against

release: setup build/.web ## Wheel, locked requirements, pages and npm package of this commit, into build/release
	@tools/release

try-container: release ## Run the Containerfile's steps in a clean Debian root, and its API (root, mmdebstrap)
	@deploy/try-container

web: build/.web ## Build the web application, which the API then serves

# --- use ---------------------------------------------------------------------------------------

demo: setup ## The main job, end to end, on a local chain (TRACE=folder: on a Helios trace)
	@$(PY) -m scripts.demo.main $(if $(TRACE),--trace $(TRACE))

serve: setup build/.web ## The web application on a filled, living demo (PORT=8000)
	@$(PY) -m scripts.demo.serve $(if $(PORT),--port $(PORT))

bench: setup ## Print throughput figures and ratios
	@$(PY) -m scripts.bench.main

build/.bench-gas: $(wildcard tools/bench-gas/*.json tools/bench-gas/*.js tools/bench-gas/src/*.sol) build/.node
	@echo "installing and compiling the peers"
	@npm ci --prefix tools/bench-gas --ignore-scripts --silent --no-fund --no-audit
	@node tools/bench-gas/compile.js build/bench-gas/peers && touch $@

bench-gas: setup build/.bench-gas ## Print gas beside its goals and peers (WRITE=1: into docs/BENCHMARKS.md)
	@$(PY) -m scripts.bench.gas $(if $(WRITE),--write)

# Apart from the checkout's own packages, in a folder that is not kept: Ponder brings 170 of them.
build/.bench-index: $(shell find tools/bench-index -type f) build/.node
	@echo "installing Ponder"
	@rm -rf build/bench-index && cp -r tools/bench-index build/bench-index
	@npm ci --prefix build/bench-index --ignore-scripts --silent --no-fund --no-audit && touch $@ || \
		echo "not measured: npm could not install Ponder"

bench-index: setup build/.bench-index ## Print the index's figures beside web3.py and Ponder
	@$(PY) -m scripts.bench.main --only index
	@test ! -e build/.bench-index || $(PY) -m scripts.bench.main --only ponder

# --- quality -----------------------------------------------------------------------------------

test: setup build/.web build/.foreign ## Run all tests, in a random order (SEED=n repeats one; PARTS="unit forge" runs some)
	@$(if $(SEED),SEED=$(SEED)) tools/test $(PARTS)

unit: build/.service build/.node ## Run the unit tests alone, with few examples of each property
	@HYPOTHESIS_PROFILE=quick $(PY) -m pytest -q tests/unit $(if $(SEED),--randomly-seed=$(SEED))

thorough: build/.service build/.node ## Unit tests with 2,000 examples each, forge with 512 invariant runs
	@HYPOTHESIS_PROFILE=thorough $(PY) -m pytest tests/unit
	@FOUNDRY_INVARIANT_RUNS=512 FOUNDRY_FUZZ_RUNS=10000 node_modules/.bin/forge test

ledgers: build/.service ## Play random ledgers against a reference that counts tick by tick, long (HISTORIES=n of each scale, SEED=n repeats)
	@seed=$${SEED:-$$RANDOM}; echo "ledgers: from seed $$seed, $${HISTORIES:-5000} histories of each scale"; \
	HISTORIES=$${HISTORIES:-5000} SEED=$$seed $(PY) -m pytest -q -s -p no:pytest-brownie tests/unit/statements/test_histories.py

games: build/.node build/.contracts ## Play random endings against the contracts, long (HISTORIES=n of each game, SEED=n repeats)
	@seed=$${SEED:-$$RANDOM}; echo "games: seed $$seed, $${HISTORIES:-6000} histories of each game"; \
	FOUNDRY_FUZZ_RUNS=$${HISTORIES:-6000} node_modules/.bin/forge test --match-contract GamesTest --fuzz-seed $$seed && \
	RENTROLL_GAMES=$$(($${HISTORIES:-6000} / 20)) SEED=$$seed tools/test-contracts -k test_games -s | grep -aE "calls in|passed|failed|Error"

# Two at a time; each part's words appear together, when it is done. What was found fine is
# remembered in build/ until one of its files changes.
check: build/.service build/.node build/.web-types ## Lint, types, formatting; pages against API and ABIs
	@$(MAKE) --no-print-directory --keep-going --jobs 2 --output-sync=target check-web check-solidity check-python
	@echo "check: fine"

check-python:
	@.venv/bin/ruff format --check --quiet . || { echo "check: ruff format: run \`make format\`"; exit 1; }
	@.venv/bin/ruff check --quiet .
	@.venv/bin/mypy > build/mypy.log || { cat build/mypy.log; exit 1; }
	@$(PY) -m scripts.dev.openapi --check

check-solidity: build/.forge-fmt build/.solhint

SOLIDITY := $(shell find contracts -name '*.sol')

build/.forge-fmt: $(SOLIDITY) $(shell find tests/forge -name '*.sol') foundry.toml build/.node
	@node_modules/.bin/forge fmt --check
	@touch $@

build/.solhint: $(SOLIDITY) .solhint.json build/.node
	@node_modules/.bin/solhint --disc --max-warnings 0 'contracts/**/*.sol'
	@touch $@

check-web: build/.tsc build/.eslint build/.prettier

build/.tsc: $(WEB) build/.web-types
	@cd web && node_modules/.bin/tsc --noEmit --incremental --tsBuildInfoFile ../build/web.tsbuildinfo
	@touch $@

build/.eslint: $(WEB) build/.web-node
	@cd web && node_modules/.bin/eslint --cache --cache-location ../build/eslint.cache .
	@touch $@

build/.prettier: $(WEB) build/.web-node
	@cd web && node_modules/.bin/prettier --check --cache --cache-location ../build/prettier.cache --log-level warn .
	@touch $@

mutate: build/.service build/.node $(if $(OPERATORS),build/.slither) ## Break the contracts line by line; tests must notice (OPERATORS=n: so many of slither-mutate's, SEED=n)
	@$(PY) -m scripts.dev.mutate $(if $(OPERATORS),--operators $(OPERATORS) $(if $(SEED),--seed $(SEED)))

build/.slither: | build/uv/bin/uv
	@echo "installing slither"
	@build/uv/bin/uv venv --quiet --clear build/slither
	@build/uv/bin/uv pip install --quiet --python build/slither/bin/python slither-analyzer==0.11.6 && touch $@

slither: build/.service build/.node build/.slither ## Static analysis of the contracts
	@$(PY) -m scripts.dev.slither

build/.halmos: tools/halmos.txt | build/uv/bin/uv
	@echo "installing halmos"
	@build/uv/bin/uv venv --quiet --clear build/halmos
	@build/uv/bin/uv pip sync --quiet --require-hashes --python build/halmos/bin/python tools/halmos.txt && touch $@

prove: build/.service build/.node build/.halmos ## Prove arithmetic for all inputs; draw a million where no proof is (RUNS=n, SEED=n)
	@$(PY) -m scripts.dev.prove $(if $(RUNS),--runs $(RUNS)) $(if $(SEED),--seed $(SEED))

chaos: setup ## Real processes under kills, reorgs, lying nodes and clocks, on both databases (EPOCHS, FACILITIES, THINGS, SEED=n)
	@$(PY) -m tests.chaos.main $(if $(SEED),--seed $(SEED)) $(if $(EPOCHS),--epochs $(EPOCHS)) $(if $(FACILITIES),--facilities $(FACILITIES)) $(if $(THINGS),--things $(THINGS))

coverage: coverage-python coverage-contracts coverage-web ## Coverage of Python, contracts and web, against their floors

coverage-python: setup
	@mkdir -p build/coverage
	@.venv/bin/coverage run -m pytest -q tests/unit tests/integration
	@.venv/bin/coverage report

coverage-contracts: build/.node
	@FORGE_SNAPSHOT_EMIT=false FOUNDRY_INVARIANT_RUNS=4 FOUNDRY_FUZZ_RUNS=32 node_modules/.bin/forge coverage --report summary --report lcov --report-file build/lcov.info \
	  --no-match-coverage '(tests|contracts/mocks)/' --no-match-contract Gas > build/coverage.txt || { tail -40 build/coverage.txt; exit 1; }
	@sed -n '/% Branches/,$$p' build/coverage.txt

coverage-web: build/.web-types
	@npm run --silent --prefix web coverage

format: build/.service build/.node ## Format the code
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix . && node_modules/.bin/forge fmt

clean: ## Remove what was built and installed
	@rm -rf build .venv .venv-contracts node_modules web/node_modules web/src/generated tools/bench-gas/node_modules tools/foreign/node_modules var .mypy_cache .ruff_cache .pytest_cache .hypothesis
