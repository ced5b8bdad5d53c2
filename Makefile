# Everything a person does with this repository. `make help` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
STAMPS := .venv/.stamps
UV_VERSION := 0.13.9
CATALOGUES := $(wildcard coworking/translations/*/LC_MESSAGES/*.po)

.PHONY: help setup setup-dev run serve test test-fast prove bench lint docs format lock i18n clean

help: ## print what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

run: setup ## set everything up and serve the demo lieu on http://127.0.0.1:$${PORT:-8000}
	@exec $(BIN)/python -m coworking.devserver

serve: setup ## update the database and serve your own lieu (web, worker, beat)
	@$(BIN)/flask --app wsgi db upgrade
	@exec $(BIN)/python -m coworking.serve

test: setup-dev ## set up and run every test
	$(BIN)/python -m pytest -n 2 --dist worksteal

prove: setup-dev ## break each promise on purpose and see the tests go red
	$(BIN)/python -m tests.mutants

bench: setup-dev ## measure speed as ratios; writes bench/results.json
	$(BIN)/python -m bench

lint: setup-dev ## ruff, pyright, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

docs: setup-dev ## make the parts of the documents that come from the code
	$(BIN)/python docs/generate.py

format: setup-dev ## format the code
	$(BIN)/ruff check --fix-only -q .
	$(BIN)/ruff format -q .

setup: $(STAMPS)/runtime $(STAMPS)/catalogues $(STAMPS)/pdf ## what running needs
setup-dev: setup $(STAMPS)/dev $(STAMPS)/node $(STAMPS)/browser ## what testing needs

i18n: $(STAMPS)/catalogues ## compile the translations
lock: setup ## resolve requirements*.in into pinned, hashed requirements*.txt
	$(BIN)/uv pip compile -q --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header requirements.in -o requirements.txt
	$(BIN)/uv pip compile -q --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header requirements-dev.in -o requirements-dev.txt

clean: ## remove what was made here (not the data in var/)
	rm -rf .venv node_modules .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: install python3.11 and python3.11-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	@mkdir -p $(STAMPS)

# The installer fetches much faster than pip; where it cannot reach an index that pip is configured for, pip does it.
export UV_SYSTEM_CERTS ?= 1
export FLASK_SKIP_DOTENV := 1
$(STAMPS)/uv: | $(BIN)/python
	@mkdir -p $(STAMPS)
	$(BIN)/python -m pip install -q uv==$(UV_VERSION) || true
	@touch $@

$(STAMPS)/runtime: requirements.txt $(STAMPS)/uv
	@$(BIN)/uv pip install -q --require-hashes -r requirements.txt --python $(BIN)/python || { echo "Going on with pip, which takes longer."; $(BIN)/python -m pip install -q --require-hashes -r requirements.txt; }
	@touch $@

$(STAMPS)/dev: requirements-dev.txt $(STAMPS)/runtime
	@$(BIN)/uv pip install -q --require-hashes -r requirements.txt -r requirements-dev.txt --python $(BIN)/python || $(BIN)/python -m pip install -q --require-hashes -r requirements.txt -r requirements-dev.txt
	@touch $@

$(STAMPS)/catalogues: $(CATALOGUES) $(STAMPS)/runtime
	@$(BIN)/python -m coworking.core.catalogs
	@touch $@

$(STAMPS)/node: package-lock.json | $(BIN)/python
	@command -v npm >/dev/null || { echo "Node and npm are needed for the accessibility tests: install nodejs and npm"; exit 1; }
	@npm ci --silent --no-audit --no-fund
	@touch $@

# What PDFs are laid out with. Without these libraries everything else works, and a request for a PDF says what is missing.
PDF_PACKAGES := libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0
$(STAMPS)/pdf: $(STAMPS)/runtime
	@$(BIN)/python -c 'import weasyprint' 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing $(PDF_PACKAGES)"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(PDF_PACKAGES) >/dev/null; \
	  else echo "For PDFs install the packages $(PDF_PACKAGES); going on without."; fi; } || true
	@touch $@

$(STAMPS)/browser: | $(BIN)/python
	@command -v chromium >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing chromium"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	  else echo "Chromium is needed for the browser tests: install the package chromium"; exit 1; fi; }
	@touch $@
