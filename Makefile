# All a newcomer needs: `make demo` and `make test`. Both set up what they use.
.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

.PHONY: help
help: ## Say what there is to make
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 20

.PHONY: setup
setup: .venv/ready ## Create .venv with the locked dependencies and the command npuserve

.venv/ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "npuserve needs Python 3.11 or newer: install it, or name it with make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) lacks the venv module: install it (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@echo "==> .venv: locked dependencies (about a minute the first time)"
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: demo
demo: setup ## Run the main job on a local cluster; KEEP=1 leaves it up
	@$(BIN)/python -m tests.demo $(if $(KEEP),--keep)

.PHONY: test
test: lint unit chart apiserver e2e ## Run every check but `make fleet`
	@echo "==> all checks passed"

.PHONY: lint
lint: setup ## Style, types, layers, generated files
	@echo "==> ruff" && $(BIN)/ruff check . && $(BIN)/ruff format --check --quiet .
	@echo "==> mypy" && $(BIN)/mypy && $(BIN)/mypy tests/cluster tests/support
	@echo "==> import contracts" && $(BIN)/lint-imports --no-cache
	@echo "==> generated files" && $(BIN)/npuserve generate --check

.PHONY: unit
unit: setup ## Unit tests, laws, golden cases and published deployments
	@echo "==> unit, laws, golden, published" && $(BIN)/pytest tests/unit tests/laws tests/golden tests/published

.PHONY: binaries
binaries: setup ## Build the local control plane (minutes the first time, cached afterwards)
	@$(BIN)/python -m tests.cluster build

.PHONY: chart
chart: binaries ## Check the Helm chart: helm 3 and 4, schema, kubeconform, kube-score, checkov, Argo CD health
	@echo "==> chart" && $(BIN)/pytest tests/chart

.PHONY: apiserver
apiserver: binaries ## Tests against a real API server
	@echo "==> apiserver" && $(BIN)/pytest tests/apiserver

.PHONY: e2e
e2e: binaries ## Tests against a whole control plane with simulated NPU nodes
	@echo "==> e2e" && $(BIN)/pytest tests/e2e

.PHONY: fleet
fleet: binaries ## Tests of replicas that answer, in a network of their own
	@echo "==> fleet" && $(BIN)/python -m tests.fleet

.PHONY: bench
bench: binaries ## Print the figures of the planner, of reading replicas, and of the operator beside the floor
	@$(BIN)/python -m tests.bench.planning
	@$(BIN)/python -m tests.bench.scrape
	@$(BIN)/python -m tests.bench

.PHONY: bench-fleet
bench-fleet: binaries ## Print what it costs one core to read the metrics of 300 services with 4 replicas each
	@$(BIN)/python -m tests.bench.scraping

.PHONY: bench-activator
bench-activator: binaries ## Print what holding requests costs, and what the activator adds to one that it passes on
	@$(BIN)/python -m tests.bench.activator

.PHONY: bench-autoscale
bench-autoscale: setup ## Print npuserve beside its peers and in DynoSim, on drawn days or TRACES=DIR (40 minutes at most; MINUTES=0: as long as whole days take)
	@$(BIN)/python -m tests.bench.autoscale $(if $(TRACES),--traces "$(TRACES)") $(if $(MINUTES),--minutes "$(MINUTES)")

.PHONY: generate
generate: setup ## Write CRD, reference, schema, the chart's files and the table of published deployments from the code
	@$(BIN)/npuserve generate
	@$(BIN)/python -m tests.published --write

.PHONY: format
format: setup ## Format the code and fix what can be fixed
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --fix --quiet .

.PHONY: update
update: setup ## Take the newest dependencies into the lock file and the tool modules
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--group dev pyproject.toml --output-file requirements.lock
	@echo checkov | $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		- --output-file tests/chart/checkov.lock
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--group dynosim --output-file tests/bench/autoscale/dynosim.lock
	@$(BIN)/python images/operator/lock.py
	@$(BIN)/python -m tests.cluster update
