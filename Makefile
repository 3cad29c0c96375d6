# Every command a developer needs. `make help` lists them.
#   ENDPOINT=http://localhost:4566   deploy to an emulator that is already running (LocalStack, …); LocalStack's own
#                                    variables say so too: AWS_ENDPOINT_URL, or LOCALSTACK_HOST with USE_SSL
#   TILLFLOW_PORT=4566               the port of the emulator that `make up` starts (default: a free one)
#   TILLFLOW_HOST=docker             the address it listens on: 127.0.0.1, or one that Docker's containers reach too
#   WORKERS=1                        the processes that tests run in (default: one for each core; 0: in pytest's own)

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Make splits names at spaces: without this it would fail late, and write beside this folder.
ifneq ($(words $(CURDIR)),1)
$(error "$(CURDIR)" has a space in it, which make cannot handle: move this folder to a path without one)
endif

# Functions and tools start several times slower without bytecode.
unexport PYTHONDONTWRITEBYTECODE
# An activated environment of something else must not be synced by accident.
unexport VIRTUAL_ENV

# A `uv` on PATH may be a version manager's shim that only prints an error: ask it.
UV_VERSION := 0.13.8
UV_HOME := .local/uv-$(UV_VERSION)
UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo $(UV_HOME)/bin/uv)
PYTHON = $(shell for python in python3.13 python3 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && echo $$python && break; done)

# The tools in .venv, and its python3.13, come before the machine's.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ENDPOINT TILLFLOW_PORT TILLFLOW_HOST

ENVIRONMENT := .venv/.synced .local/emulator/.synced
LOCAL := python -m local
CLIENT := clients/python
WORKERS ?= auto
EXPORT := $(UV) export --quiet --frozen --no-hashes --no-annotate --no-header

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-16s %s\n", $$1, $$2 }'

.PHONY: up
up: $(ENVIRONMENT) ## start the emulator if it is not running, build, deploy, print the URLs
	$(LOCAL) up

.PHONY: down
down: $(ENVIRONMENT) ## stop the emulator and forget its stack (with ENDPOINT: delete the stack)
	$(LOCAL) down

.PHONY: logs
logs: $(ENVIRONMENT) ## follow the functions' logs (Ctrl-C ends)
	$(LOCAL) logs --follow

.PHONY: demo
demo: $(ENVIRONMENT) ## up, then place five real orders over HTTP and show what became of them
	$(LOCAL) up
	$(LOCAL) demo

.PHONY: test
test: $(ENVIRONMENT) ## every test, unit to integration, on an emulator of its own
	python -m pytest -n $(WORKERS) tests $(CLIENT)/tests

.PHONY: test-fast
test-fast: .venv/.synced ## the tests that need no emulator and are done in a minute, for while you write
	python -m pytest -n $(WORKERS) tests/unit tests/property tests/contract $(CLIENT)/tests

.PHONY: simulate
simulate: .venv/.synced ## SEED=1 MINUTES=5: days of a shop in simulated time, with all that can go wrong in them
	PYTHONPATH=layers/shared:. python -m tests.simulation $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) \
		$(if $(ONLY),--only $(ONLY))

.PHONY: deliver
deliver: .venv/.synced ## EVENTS=5000 SEED=1: events of 8 producers into 5 consumers in simulated time, while all fails: is one lost?
	PYTHONPATH=layers/shared:. python -m tests.simulation.delivery $(if $(EVENTS),--events $(EVENTS)) $(if $(SEED),--seed $(SEED))

.PHONY: check
check: .venv/.synced ## lint, types, templates, import contracts, locked requirements
	ruff check .
	ruff format --check .
	mypy layers/shared/tillflow functions local tests
	mypy --config-file $(CLIENT)/pyproject.toml $(CLIENT)/src $(CLIENT)/tests
	cfn-lint template.yaml stacks/*.yaml
	SAM_CLI_TELEMETRY=0 sam validate --lint --region us-east-1
	PYTHONPATH=layers/shared lint-imports
	$(UV) lock --check --quiet
	$(EXPORT) --only-group layer | diff - layers/shared/requirements.txt
	for extra in stripe identity eventflow; do $(EXPORT) --only-group $$extra | diff - layers/extras/$$extra.txt; done

.PHONY: lock
lock: .venv/.synced ## after a change of pyproject.toml: uv.lock and the layers' requirements
	$(UV) lock
	$(EXPORT) --only-group layer >layers/shared/requirements.txt
	for extra in stripe identity eventflow; do $(EXPORT) --only-group $$extra >layers/extras/$$extra.txt; done

.PHONY: tail
tail: .venv/.synced ## [TYPE='order.*']: follow events as they happen (Ctrl-C ends)
	@$(LOCAL) tail '$(or $(TYPE),*)'

.PHONY: trace
trace: .venv/.synced ## ORDER=<order id> [OPEN=1]: the order's whole story, from logs, history and events; or a page of it
	$(LOCAL) trace $(or $(ORDER),$(error Say which order: make trace ORDER=<order id>)) $(if $(OPEN),--open)

.PHONY: audit
audit: .venv/.synced ## [REPAIR=1] [ANEW=1]: is every level of stock what the ledger adds up to; ANEW: from the first event on
	$(LOCAL) audit $(if $(ANEW),--anew) $(if $(REPAIR),--repair)

.PHONY: event
event: .venv/.synced ## FUNCTION=CreateOrderFunction: a fresh, signed event for it, for `sam local invoke`
	@$(LOCAL) event $(or $(FUNCTION),$(error Say which function: make event FUNCTION=CreateOrderFunction))

.PHONY: docs
docs: .venv/.synced ## after a change of a route, an event or a key: the generated pages of docs/, and the schemas
	$(LOCAL) docs

.PHONY: bench-cost
bench-cost: $(ENVIRONMENT) ## what an order costs, counted from its calls and priced
	$(LOCAL) bench cost

.PHONY: bench-cold
bench-cold: $(ENVIRONMENT) ## how fast every function starts, against a bare boto3 client
	$(LOCAL) bench cold

.PHONY: bench-warm
bench-warm: $(ENVIRONMENT) ## what a warm request takes, against one bare DynamoDB transaction
	$(LOCAL) bench warm

.PHONY: bench-password
bench-password: .venv/.synced ## how long the hash of a password takes on one full core
	$(LOCAL) bench password

.PHONY: bench-load
bench-load: $(ENVIRONMENT) ## ORDERS=200 BUYERS=16: many buyers at once, and whether everything adds up afterwards
	$(LOCAL) bench load $(if $(ORDERS),--orders $(ORDERS)) $(if $(BUYERS),--buyers $(BUYERS))

.PHONY: bench-events
bench-events: $(ENVIRONMENT) ## EVENTS=400: producers and a consumer at once: events a second, and seconds from request to fetch
	$(LOCAL) bench events $(if $(EVENTS),--events $(EVENTS))

.PHONY: bench-sale
bench-sale: $(ENVIRONMENT) ## ORDERS=2000 BUYERS=64 UNITS=1500: all want one SKU, whose shards change meanwhile; does all add up?
	$(LOCAL) bench sale $(if $(ORDERS),--orders $(ORDERS)) $(if $(BUYERS),--buyers $(BUYERS)) $(if $(UNITS),--units $(UNITS))

.PHONY: bench-hot-sku
bench-hot-sku: .venv/.synced ## how many orders a second one SKU takes by its shards, in simulated time (minutes)
	PYTHONPATH=layers/shared:. python -m tests.simulation.hot_sku

.PHONY: test-sam-local
test-sam-local: .venv/.synced ## run a handful of functions in Lambda's own container (needs Docker)
	$(LOCAL) invoke

.venv/.synced: pyproject.toml uv.lock $(CLIENT)/pyproject.toml $(filter $(UV_HOME)/%,$(UV))
	$(UV) sync --quiet --frozen
	touch $@

# MiniStack pins botocore, so it cannot share the tools' environment. Functions run in it: compile it.
.local/emulator/.synced: pyproject.toml uv.lock $(filter $(UV_HOME)/%,$(UV))
	UV_PROJECT_ENVIRONMENT=.local/emulator $(UV) sync --quiet --frozen --only-group emulator --compile-bytecode
	touch $@

$(UV_HOME)/bin/uv:
	$(if $(PYTHON),,$(error Python 3.13 was not found: install it (pyenv install 3.13, https://www.python.org) or uv, then try again))
	$(PYTHON) -m venv $(UV_HOME)
	$(UV_HOME)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
