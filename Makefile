# Two commands matter: `make demo` and `make test`. Each sets up what it needs.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test faults check bench gold clean

help:
	@echo "make demo   set up, do the whole main job on the sample month, say where the files are"
	@echo "make test   set up and run the tests"
	@echo "make faults kill, fail and cut the power at every file operation of a run (an hour)"
	@echo "make check  formatting, lint, types and import contracts"
	@echo "make bench  time and memory of workbooks, printed lists and a large month (many minutes)"
	@echo "make gold   make the sample's finished pack anew, after a wanted change"
	@echo "make clean  remove the virtual environment and what the commands made"

$(VENV)/run.stamp: pyproject.toml constraints.txt
	@sh .ci/system-packages
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV)"
	@$(PIP) install --constraint constraints.txt hatchling editables
	@$(PIP) install --constraint constraints.txt --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp
	@$(PIP) install --constraint constraints.txt --no-build-isolation --editable '.[dev]'
	@touch $@

demo: $(VENV)/run.stamp
	@$(BIN)/maxo-reports demo --out demo-out

test: $(VENV)/dev.stamp
	@sh .ci/system-packages test
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile

faults: $(VENV)/dev.stamp
	@MAXO_FAULTS=all $(BIN)/python -m pytest tests/faults tests/outbox tests/test_send.py

check: $(VENV)/dev.stamp
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/dev.stamp
	@$(PIP) install --constraint constraints.txt --no-build-isolation --editable '.[bench]'
	@$(BIN)/python benchmarks/workbook.py
	@$(BIN)/python benchmarks/pdf.py
	@$(BIN)/python benchmarks/refresh.py
	@$(BIN)/python benchmarks/whole_run.py
	@$(BIN)/python benchmarks/reconcile.py

gold: $(VENV)/run.stamp
	@$(BIN)/python samples/make_gold.py

clean:
	rm -rf $(VENV) demo-out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
