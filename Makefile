# Everything happens inside .venv; nothing else on the machine is touched.
# Installed once, and again only when pyproject.toml changes or the folder has moved.

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PLACE := $(shell printf '%s' '$(CURDIR)' | cksum | cut -d ' ' -f 1)
RUN := .venv/.installed-run-$(PLACE)
TEST := .venv/.installed-test-$(PLACE)
BENCH := .venv/.installed-bench-$(PLACE)
DOCS := .venv/.installed-docs-$(PLACE)
PACKAGE := .venv/.installed-package-$(PLACE)
COVERAGE := .venv/.installed-coverage-$(PLACE)
MUTATION := .venv/.installed-mutation-$(PLACE)

FIND := from importlib.util import find_spec; from pathlib import Path; \
	print(Path(find_spec("onnx").origin).with_name("backend") / "test/data/light/light_resnet50.onnx")

# Without compiled bytecode every process compiles hwsim, and pytest rewrites all tests, once more.
unexport PYTHONDONTWRITEBYTECODE

# An environment that does not work any more is made anew.
$(shell $(BIN)/python -c 'import pip' 2>/dev/null || rm -f .venv/.installed-*)
define VENV
$(BIN)/python -c 'import pip' 2>/dev/null && exit 0; \
command -v $(PYTHON) >/dev/null || \
	{ echo 'hwsim needs Python 3.11 or newer, but there is no $(PYTHON); try: make PYTHON=/path/to/python' >&2; exit 1; }; \
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "hwsim needs Python 3.11 or newer, but $(PYTHON) is $$($(PYTHON) --version 2>&1); try: make PYTHON=python3.12" >&2; exit 1; }; \
$(PYTHON) -m venv --clear .venv || \
	{ echo 'Python cannot make virtual environments here; on Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }
endef

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test check coverage mutation bench bench-peers readme pages docs package

help:
	@echo 'make demo         install into .venv, cost ResNet-50 on two systolic arrays, write report.html'
	@echo 'make test         install what tests need and run the whole suite'
	@echo 'make check        ruff, mypy, import contracts and the fast tests'
	@echo 'make coverage     which branches of hwsim/ the tests take, file by file; fails below 90 % (half an hour)'
	@echo 'make mutation     break the code on purpose, one place at a time, and name what no test notices (most of an hour)'
	@echo 'make bench        measure hwsim, and print its ratios to stored measurements of other programs'
	@echo 'make bench-peers  measure the other programs as well (most of an hour)'
	@echo 'make readme       write the real output of its commands into README.md'
	@echo 'make pages        compute docs/validation.md and docs/matrix.md again'
	@echo 'make docs         build the documentation into site/index.html; a broken link fails'
	@echo 'make package      build dist/*.tar.gz and dist/*.whl, install the wheel by itself and try it'
	@echo 'PYTHON=python3.12 chooses the interpreter; ARGS="-k name" goes to pytest'

demo: $(RUN)
	@network=$$($(BIN)/python -c '$(FIND)') && $(BIN)/hwsim compare "$$network" \
		--on systolic:tpu_v1,systolic:eyeriss_like -o report.html -o report.json --timeline timeline.json
	@echo
	@echo 'Wrote report.html (open it in a browser), report.json (read on with: $(BIN)/hwsim explain report.json)'
	@echo 'and timeline.json (open it at https://ui.perfetto.dev).'

test: $(TEST)
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

check: $(TEST)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest -n 2 --dist worksteal -m 'not slow' $(ARGS)

coverage: $(COVERAGE)
	@mkdir -p build
	$(BIN)/coverage erase
	-$(BIN)/coverage run -m pytest -n 2 --dist worksteal --ignore tests/hostile --ignore tests/house $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	$(BIN)/coverage json --quiet -o build/coverage.json
	$(BIN)/python -m tests.house.branches build/coverage.json

# A broken loop may never end and fill the memory: 8 GB at most, and a time limit of mutmut's own.
mutation: $(MUTATION)
	ulimit -v 8388608 && $(BIN)/mutmut run $(ARGS) && $(BIN)/mutmut results

bench: $(BENCH)
	$(BIN)/python -m pytest benchmarks --benchmark-only --benchmark-columns=min,median,max,rounds $(ARGS)
	$(BIN)/python benchmarks/peers.py --reuse-peers

bench-peers: $(BENCH)
	$(BIN)/python benchmarks/peers.py

readme: $(TEST)
	$(BIN)/python -m tests.docs.blocks

pages: $(RUN)
	$(BIN)/python -m docs.generator

docs: $(DOCS)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs --quiet build --strict --clean
	@echo 'Wrote the documentation: open site/index.html'

package: $(PACKAGE)
	$(BIN)/python -m tests.package

$(RUN): pyproject.toml
	@$(VENV)
	@echo 'installing into .venv; this takes a minute or two, once'
	@$(PIP) install --quiet -e .
	@touch $@

$(TEST): pyproject.toml
	@$(VENV)
	@echo 'installing into .venv; this takes a minute or two, once'
	@$(PIP) install --quiet -e '.[test]'
	@touch $(RUN) $@

$(BENCH): pyproject.toml
	@$(VENV)
	@echo 'installing into .venv; this takes a minute or two, once'
	@$(PIP) install --quiet -e '.[test,bench]'
	@touch $(RUN) $(TEST) $@

$(DOCS): pyproject.toml
	@$(VENV)
	@echo 'installing into .venv; this takes a minute or two, once'
	@$(PIP) install --quiet -e '.[docs]'
	@touch $(RUN) $@

$(PACKAGE): pyproject.toml
	@$(VENV)
	@echo 'installing into .venv; this takes a minute or two, once'
	@$(PIP) install --quiet -e '.[build]'
	@touch $(RUN) $@

$(COVERAGE): pyproject.toml
	@$(VENV)
	@echo 'installing into .venv; this takes a minute or two, once'
	@$(PIP) install --quiet -e '.[test,coverage]'
	@touch $(RUN) $(TEST) $@

$(MUTATION): pyproject.toml
	@$(VENV)
	@echo 'installing into .venv; this takes a minute or two, once'
	@$(PIP) install --quiet -e '.[test,mutation]'
	@touch $(RUN) $(TEST) $@
