# Every chore of the project. `make help` lists them.

PYTHON ?= python3
BIN := .venv/bin
CONFIG ?= config.yaml
PORT ?= 8080
SECONDS ?= 600
# Tests side by side: more than there are cores, since most of them wait.
JOBS ?= 4
SBOM ?= build/sbom.json

.DEFAULT_GOAL := help
.PHONY: help setup setup-full demo serve fmt check test test-all fuzz bench bench-all soak sbom docs chart lock

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.ready ## put everything into .venv

.venv/.ready: requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --no-compile --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

setup-full: .venv/.full ## the real servers and tools that `make test-all` starts as well

.venv/.full: requirements-full.lock .venv/.ready
	$(BIN)/pip install --quiet --no-compile --disable-pip-version-check --require-hashes -r requirements-full.lock
	@touch $@

demo: setup ## run a gateway in front of a stand-in platform, and print calls to try
	$(BIN)/gateway demo --port $(PORT)

serve: setup ## run the gateway with CONFIG (config.yaml)
	$(BIN)/gateway serve --config $(CONFIG)

fmt: setup ## format the code
	$(BIN)/ruff check --quiet --fix-only .
	$(BIN)/ruff format --quiet .

check: setup ## lint, types, direction of imports; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: setup ## the tests that need nothing but Python
	$(BIN)/pytest -q -n $(JOBS) --dist worksteal -m "not full"

# A file's tests stay together: what they share (an image, a Prometheus) is made once.
test-all: setup-full ## all tests, also those that need Debian packages or more time
	$(BIN)/pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder -m "full"

fuzz: setup-full ## look for bytes that break a codec: SECONDS for each of the targets
	for target in $$($(BIN)/python -m tests.fuzz 2>&1 | sed -n 's/^one of: //p'); do \
	  $(BIN)/python -m tests.fuzz $$target -max_total_time=$(SECONDS) -print_final_stats=1 || exit 1; \
	done

bench: setup ## what a call costs, beside others, in one run
	$(BIN)/python -m bench

bench-all: setup build/litellm/.ready ## the same, beside LiteLLM as well (large; into build/litellm)
	$(BIN)/python -m bench

build/litellm/.ready:
	$(PYTHON) -m venv build/litellm
	build/litellm/bin/pip install --quiet --disable-pip-version-check 'litellm[proxy]'
	@touch $@

soak: setup ## a million mixed calls with faults, and what is left of them
	$(BIN)/python -m bench.soak

# The index is named only to have a name: the hashes say what is meant.
sbom: setup-full ## what the image is made of (CycloneDX), in build/sbom.json
	@mkdir -p $(dir $(SBOM))
	PYTHONWARNINGS=ignore $(BIN)/cyclonedx-py requirements requirements-image.lock --pyproject pyproject.toml \
	  --mc-type application --index-url index --output-reproducible --of JSON -o $(SBOM)

docs: setup-full ## the documentation as a site, in build/site
	$(BIN)/mkdocs build --quiet

chart: ## the Helm chart, with rules and dashboards, in build/chart
	rm -rf build/chart && mkdir -p build && cp -r deploy/chart build/chart
	cp -r grafana/prometheus/rules build/chart/monitoring/rules
	cp -r grafana/dashboards build/chart/monitoring/dashboards

lock: ## renew the locks: hashes, no addresses
	uv pip compile --quiet --universal --generate-hashes --no-header --upgrade pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --generate-hashes --no-header --upgrade pyproject.toml --extra dev --extra bench -o requirements-dev.lock
	uv pip compile --quiet --universal --generate-hashes --no-header pyproject.toml --extra dev --extra bench --extra full -c requirements-dev.lock -o requirements-full.lock
	uv pip compile --quiet --universal --generate-hashes --no-header pyproject.toml --extra redis --extra vault --extra otel -c requirements-dev.lock -o requirements-image.lock
