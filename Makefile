# `make gap` compares the greedy with the optimum on instances/small/; `make test` runs every check.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install gap test docs solutions clean

install: .venv/.installed

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv .venv
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

gap: install
	$(BIN)/python -m benchmarks.gap --instances instances/small/

test: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest --numprocesses 2 --solvers all

# Solves instances/small/ again and writes the solution files beside the instances.
solutions: install
	for file in $$(ls instances/small/*.json | grep -v '\.solution\.json'); do \
		$(BIN)/python -m optmodel $$file --out $${file%.json}.solution.json >/dev/null || exit 1; \
	done

docs: install
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	$(BIN)/sphinx-build -W -b html docs docs/_build

clean:
	rm -rf .venv docs/_build
