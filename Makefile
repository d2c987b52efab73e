# Everything a person or a machine runs here; `make help` lists it.
VENV := .venv
PYTHON ?=
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: bench bench-quick bench-wide help install install-dev install-integrations run demo lint test test-protocol test-service test-integration test-faults test-network \
  screenshots test-browser test-compose test-integrations soak env check format lock openapi sbom clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Checks the machine, makes or repairs .venv, and does nothing where it is whole. PYTHON chooses what it is made of.
install:  ## .venv with the `referrals` command, from the hashed lock (PYTHON=python3.12)
	@deploy/make-venv $(VENV) embedded $(PYTHON)

install-dev:  ## the same with the tools for checks and tests
	@deploy/make-venv $(VENV) dev $(PYTHON)

# Foreign clients, fuzzers and lists of components, beside the tools for checks; `make test` does without them.
install-integrations: install-dev
	@deploy/make-venv $(VENV) integrations $(PYTHON)

sbom: install-integrations  ## sbom.json: what `make run` installs, as a CycloneDX list of components
	@$(BIN)/cyclonedx-py requirements requirements/embedded.lock --output-reproducible --of JSON -o sbom.json

run: install  ## the whole service with its own PostgreSQL and Valkey (ARGS="--port 9000 --home DIR")
	@exec $(BIN)/referrals up $(ARGS)

demo: install  ## post the example cases to a running service and print where they went
	@$(BIN)/referrals demo $(ARGS)

# What only computes gives way, so that with `make -j` it takes no time from tests that look at the clock.
lint: install-dev
	nice $(BIN)/ruff format --check .
	nice $(BIN)/ruff check .
	nice $(BIN)/mypy
	nice $(BIN)/lint-imports

check: lint  ## formatting, lint, types, import contracts and the fast tests
	$(BIN)/pytest -q tests/unit tests/architecture tests/protocol/test_examples.py

# The tests of the service keep two processors busy. Faults mostly wait, so what only computes runs beside them, niced; each
# of these prints what it has to say in one piece when it ends.
test: install-dev  ## every check and every test but those below, on PostgreSQLs and Valkeys of its own
	@status=0; \
	$(MAKE) --no-print-directory test-service || status=1; \
	$(MAKE) --no-print-directory test-integration || status=1; \
	$(MAKE) --no-print-directory --jobs=3 --keep-going --output-sync=target test-faults lint test-protocol test-network || status=1; \
	exit $$status

test-protocol: install-dev
	nice $(BIN)/pytest tests/protocol

# Coverage makes tests half as slow again, so it is counted in those of units and workers alone, for what runs in the test
# processes; its floor is in pyproject.toml.
test-service: install-dev
	$(BIN)/pytest tests/unit tests/worker --numprocesses=2 --dist=loadfile --cov --cov-report=
	$(BIN)/pytest tests/api tests/architecture tests/supervisor --numprocesses=2 --dist=loadfile

test-integration: install-dev
	$(BIN)/pytest tests/integration --numprocesses=3 --dist=loadfile --no-loadscope-reorder

test-faults: install-dev
	$(BIN)/pytest tests/faults --ignore=tests/faults/test_network.py

test-network: install-dev
	$(BIN)/pytest tests/faults/test_network.py

test-browser: install-dev  ## the console in a real Chromium (Debian: apt-get install chromium; CHROMIUM=PATH for another)
	$(BIN)/pytest tests/browser

test-integrations: install-integrations  ## with foreign clients, fuzzers, Prometheus and collectors (Debian: apt-get install prometheus)
	$(BIN)/pytest tests/integrations

screenshots: install-dev  ## pictures of the console into docs/images, from made-up cases at a fixed time
	$(BIN)/python -m tests.browser.screenshots

env:  ## .env with fresh secrets, for docker compose
	@deploy/write-env

test-compose: install-dev  ## the tests through docker-compose.yml, where needed on an engine and images of their own
	.ci/with-engine $(BIN)/pytest tests/compose

soak: install-dev  ## every fault at its full length, then MINUTES (15) of random ones and twice that of silence
	SOAK_MINUTES=$(or $(MINUTES),15) $(BIN)/pytest tests/faults/test_*.py tests/faults/soak.py

bench: install  ## every figure beside its baseline, into bench/results (ARGS="drain accept" for some)
	@$(BIN)/python -m bench $(ARGS)

bench-quick: install  ## the same with less of everything, in under two minutes
	@$(BIN)/python -m bench --quick $(ARGS)

bench-wide: install  ## API x2 and workers x4 in docker-compose.yml on this host: where it stops, and why (ARGS="--rounds 1")
	@.ci/with-engine $(BIN)/python -m bench.wide $(ARGS)

format: install-dev  ## rewrite the code in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

openapi: install-dev  ## write services/api/openapi.json from the code
	$(BIN)/referrals openapi --write

lock: install-dev  ## resolve requirements/*.in into hashed locks (UPGRADE=1 for newer versions)
	@for name in runtime embedded dev integrations build compose; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes $(if $(UPGRADE),--upgrade) --no-emit-index-url \
	    --no-emit-find-links --custom-compile-command "make lock" requirements/$$name.in -o requirements/$$name.lock; \
	done

clean:  ## remove what the targets above made, but no data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
