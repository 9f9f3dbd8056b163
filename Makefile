# The two commands: `make demo` and `make test`. Both set up by themselves and may be repeated.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# Byte code of all packages at once on all cores: pip would take one core and twice the time.
COMPILE := $(BIN)/python -m compileall -q -q -j 0
export PYTHONHASHSEED := 0
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true

.PHONY: help demo test lint types imports check lock clean

help:
	@echo "make demo    install, then build the score of the SMART cohort and its report"
	@echo "make test    install, then run all tests"
	@echo "make check   lint, format, types, import rules, docstrings, spelling, schemas"
	@echo "make lock    resolve the dependencies again and write the two lock files"

$(VENV)/.python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/.python
	$(PIP) install --quiet --no-compile --no-deps -r requirements.lock
	$(PIP) install --quiet --no-compile --no-deps --no-build-isolation --editable .
	$(COMPILE) $(VENV)/lib scorebuilder || true
	touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	$(PIP) install --quiet --no-compile --no-deps -r requirements-dev.lock
	$(COMPILE) $(VENV)/lib || true
	touch $@

$(VENV)/.system: .ci/system_packages | $(VENV)/.python
	.ci/system_packages
	touch $@

$(VENV)/.node: tests/node/package.json $(VENV)/.system
	npm install --prefix tests/node --silent --no-audit --no-fund --no-package-lock
	touch $@

demo: $(VENV)/.run
	$(BIN)/scorebuilder run experiments/smart.yaml --jobs 2

test: $(VENV)/.dev $(VENV)/.node
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	git ls-files 'scorebuilder/*.py' | xargs $(BIN)/numpydoc lint --config .
	$(BIN)/check-jsonschema --schemafile data_schemas/_meta/cohort-1.json data_schemas/*.yaml
	$(BIN)/check-jsonschema --schemafile experiments/_meta/spec.schema.json experiments/*.yaml

types: $(VENV)/.dev
	$(BIN)/mypy

imports: $(VENV)/.dev
	$(BIN)/lint-imports

check: lint types imports

# The locks hold exact pins and no addresses, so that any registry serves them.
lock: | $(VENV)/.python
	$(PIP) install --quiet "pip>=25.1"
	$(BIN)/python .ci/lock.py

clean:
	rm -rf $(VENV) build dist tests/node/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
