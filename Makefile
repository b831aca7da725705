# `make gap` compares the policies with the optimum on instances/small/, `make runtime` the methods that
# find it; `make test` runs every check.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install gap runtime test quick cross-check docs solutions clean

install: .venv/.installed

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv .venv
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

gap: install
	$(BIN)/python -m benchmarks.gap --instances instances/small/

runtime: install
	$(BIN)/python -m benchmarks.runtime --set small

test: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest --numprocesses 3 --dist worksteal --solvers all

# While at work: everything but the files of tests/slow_files.txt, in about a minute.
quick: install
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest --numprocesses 3 --dist worksteal -m "not slow"

# Before a release and after every new version of OR-Tools: minutes on one core, goes on where it was.
cross-check: install
	$(BIN)/python tests/cross_check.py --instances 5000 --seed 0 --out docs/cpsat-search.json

# Solves what this code has not proven yet and keeps what is better; then the sets' pages say so.
# For example: make solutions SETS=paper TIME_LIMIT=600
SETS ?= small medium paper measured
TIME_LIMIT ?= 300
solutions: install
	for set in $(SETS); do \
		$(BIN)/python -m benchmarks.best_known --instances instances/$$set/ --time-limit $(TIME_LIMIT) && \
		$(BIN)/python -m instances.sets $$set || exit 1; \
	done

docs: install
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	$(BIN)/sphinx-build -W -b html docs docs/_build

clean:
	rm -rf .venv docs/_build
