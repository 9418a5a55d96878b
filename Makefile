# Every target is one command; CI runs `make check` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
LAYERS := vgg16-torchvision.relu1_2+relu2_2+relu3_3+relu4_3

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench docs lowest package

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: .venv/installed  ## make .venv and install pdloss there, with the exact versions in constraints.txt

demo: setup  ## teach two small networks to enlarge photographs, and compare them on one page
	$(BIN)/python examples/demo.py

test: setup  ## run all tests
	$(BIN)/python -m pytest -q -n auto --maxprocesses 8 --dist worksteal

check: setup  ## formatting, lint, types, and who imports whom
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

bench: setup  ## measure losses, the sort and the study's server; with PDLOSS_IMAGES data and metrics too
	$(BIN)/pdloss bench losses --out benchmarks/results/losses.json --overwrite
	$(BIN)/python benchmarks/wasserstein_speed.py
	$(BIN)/pdloss bench losses --out benchmarks/results/several_layers.json --overwrite --crop 96 --losses \
		"l1 + 0.01*perceptual(features='$(LAYERS)')" "l1 + 0.01*pdl(features='$(LAYERS)')" \
		"l1 + 0.01*pdl(features='$(LAYERS)', samples=256)"
	$(BIN)/python benchmarks/study_load.py
	$(BIN)/python benchmarks/part_costs.py
ifdef PDLOSS_IMAGES
	$(BIN)/python benchmarks/data_throughput.py --data "$(PDLOSS_IMAGES)/train"
	$(BIN)/python benchmarks/integrity.py --data "$(PDLOSS_IMAGES)/valid/set5"
	$(BIN)/python benchmarks/metrics.py
	$(BIN)/python benchmarks/distilled_cost.py
	$(BIN)/python benchmarks/evaluating_together.py --data "$(PDLOSS_IMAGES)/valid/set5"
endif

docs: setup  ## build the site into build/site: tutorials are run, the reference is written from the code
	$(BIN)/python -m documentation.build

package: setup  ## build wheel and sdist, install them in empty environments, lowest and newest versions, and try them
	$(BIN)/python -m benchmarks.empty_environment

lowest: setup  ## run the tests that need no torch with the lowest versions that pyproject.toml admits
	$(BIN)/python benchmarks/lowest_versions.py

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "pdloss needs Python 3.11 or newer; name one, such as: make setup PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || \
		{ echo "$(PYTHON) cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test,check,docs]'
	@touch $@
