# The commands of this project. `make` alone lists them.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
EXTRAS := .[dev,offline]

.DEFAULT_GOAL := help
.PHONY: help demo install format docs check test test-slow test-all bench bench-full

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(STAMP) ## Train 5 folds x 2 stages on 1,797 handwritten digits; about 2 minutes on 2 cores
	$(BIN)/fivefold demo fivefold-demo

install: $(STAMP) ## Make .venv with everything in it; the other commands do it by themselves
	@echo "start with: source $(VENV)/bin/activate, then fivefold --help; or $(BIN)/fivefold --help"

$(STAMP): pyproject.toml constraints.txt
	@if command -v uv >/dev/null 2>&1; then \
		{ test -x $(BIN)/python || uv venv --quiet $(VENV); } && \
		uv pip install --quiet --compile-bytecode --python $(BIN)/python -c constraints.txt -e '$(EXTRAS)'; \
	else \
		python3 -c 'import sys; sys.exit(sys.version_info < (3, 11) and "python3: expected 3.11 or newer, got " + sys.version.split()[0])' && \
		{ test -x $(BIN)/python || python3 -m venv $(VENV); } && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '$(EXTRAS)'; \
	fi
	@touch $@

format: $(STAMP) ## Format the code and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(STAMP) ## Write the pages that are made from the code
	$(BIN)/python -c 'from pathlib import Path; from fivefold.config import *; \
		Path("docs/config.md").write_text(reference_markdown()); \
		Path("docs/musket.md").write_text(musket_markdown()); \
		from fivefold.models.timm_list import LIST_PATH, list_text; \
		LIST_PATH.write_text(list_text())'

check: $(STAMP) ## Format, lint, types, layers, architecture: what CI asks for beside the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest tests/architecture

test: $(STAMP) ## The default tests, on up to four cores
	$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile

test-slow: $(STAMP) ## The long ones, two at a time: whole runs, kills, resumes
	$(BIN)/pytest -m 'slow and not gpu and not network' -n auto --maxprocesses 2 --dist load

test-all: $(STAMP) ## Both
	$(BIN)/pytest -m 'not gpu and not network'

bench: $(STAMP) ## Compare with plain scripts in small: under 5 minutes on 2 quiet cores
	$(BIN)/python -m benchmarks.run --smoke

bench-full: $(STAMP) ## Compare with five other tools; hours, writes benchmarks/records
	$(BIN)/python -m benchmarks.run --full
