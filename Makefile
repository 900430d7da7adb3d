# `make demo` and `make test` set up all they need; see scripts/prepare.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: install install-dev demo test check compiled lint listings fix bench bench-quality lock clean help

help: ## What there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

install: $(VENV)/.installed ## .venv with tidings in it

install-dev: $(VENV)/.installed-dev ## the same with what tests and checks need

$(VENV)/.installed: requirements/run.lock requirements/build.lock pyproject.toml package-lock.json hatch_build.py scripts/prepare
	scripts/prepare run "$(PYTHON)" $(VENV)
	@touch $@

$(VENV)/.installed-dev: requirements/dev.lock $(VENV)/.installed
	scripts/prepare dev "$(PYTHON)" $(VENV)
	@touch $@

demo: install ## start with a sample company and print the address
	@$(BIN)/tidings demo

# A machine that sets PYTHONDONTWRITEBYTECODE would compile all of it anew in each of the hundred
# processes that tests start.
test compiled: export PYTHONDONTWRITEBYTECODE :=

test: install-dev ## every check and every test, with coverage
	$(MAKE) --no-print-directory --jobs 2 --output-sync lint compiled
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 2 --dist loadgroup -q
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

check: lint ## the gates: lint, types, floors, and the contract tests
	$(BIN)/pytest -n 2 -q tests/contract

compiled: install-dev # beside lint, which leaves a processor idle; errors are pytest's to show
	-@$(BIN)/pytest --collect-only -qq >/dev/null 2>&1

lint: install-dev ## what needs no database
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

listings: install-dev ## write anew the files that list what the code and the schema say
	$(BIN)/python tests/contract/listings.py

fix: install-dev ## let ruff repair what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install-dev ## the quick form of every benchmark, beside its peers
	scripts/prepare bench "$(PYTHON)" $(VENV)
	$(BIN)/python benchmarks/report.py --quick

bench-quality: install-dev ## the local engine on labelled meetings: make bench-quality DATA=folder
	$(BIN)/python benchmarks/local_engine_quality.py $(DATA)

lock: ## pin what pyproject.toml asks for, with hashes
	uv pip compile -q --upgrade --generate-hashes --no-header --no-emit-index-url --universal --python-version 3.11 pyproject.toml -o requirements/run.lock
	uv pip compile -q --generate-hashes --no-header --no-emit-index-url --universal --python-version 3.11 -c requirements/run.lock --group dev pyproject.toml -o requirements/dev.lock
	for group in build assets bench bench-proxy; do uv pip compile -q --generate-hashes --no-header --no-emit-index-url --universal --python-version 3.11 --group pyproject.toml:$$group -o requirements/$$group.lock; done

clean: ## remove what was built; data of the demo stays
	rm -rf $(VENV) .venv-litellm build dist node_modules src/tidings/web/static/vendor .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis
