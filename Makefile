# Two commands do everything on a fresh machine: `make demo` and `make test`.
# They need python3 (3.11 or newer), make and the package index.

PYTHON ?= python3
DB ?= demo.duckdb
BIN := .venv/bin
export OMP_WAIT_POLICY ?= PASSIVE
export TOKENIZERS_PARALLELISM ?= false

.PHONY: demo test test-oldest check format screens clean help

help:
	@echo "make demo     environment, then the main job on the built-in models: $(DB)"
	@echo "make test     environment, then the whole suite"
	@echo "make test-oldest  the atlas with the oldest DuckDB allowed"
	@echo "make check    format, lint, types, import contracts"
	@echo "make format   put the code into shape"
	@echo "make screens  take the screenshots in docs/screens again"
	@echo "make clean    remove the environment and the demo"

# The environment is made again only when what it is made from has changed.
.venv/made: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "featlas needs Python 3.11 or newer; say which: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[models,figures,dev]" --constraint constraints.txt
	@touch $@

demo: .venv/made
	$(BIN)/featlas --db $(DB) demo

# One process a core, four at most: each may take a gigabyte. A file's tests stay together, as they share what they build.
test: .venv/made
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist loadfile

# The same atlas, opened by the oldest DuckDB that pyproject.toml allows.
.venv/oldest/made: .venv/made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target .venv/oldest "duckdb==1.5.*"
	@touch $@

test-oldest: .venv/oldest/made
	PYTHONPATH=.venv/oldest $(BIN)/python -m pytest -q tests/atlas/db/test_schema.py tests/atlas/comparisons/test_matched.py tests/atlas/comparisons/test_correlate.py tests/atlas/scores/test_compare.py

check: .venv/made
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports

format: .venv/made
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

screens: demo
	$(BIN)/featlas --db $(DB) matrix svcca --rows 'tinyA_L?_w512_s0' --cols 'tinyB_L?_w512_s0' --shuffles 200
	$(BIN)/featlas --db $(DB) match A I --method assignment
	$(BIN)/python docs/screenshots.py --db $(DB) --out docs/screens

clean:
	rm -rf .venv $(DB) $(DB).wal $(DB).store $(DB).text
