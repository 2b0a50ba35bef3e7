# Every goal sets up what it needs: a virtual environment with the exact versions of the lock file.

PYTHON ?= python3
# What `make test-versions` looks for: names on the path, or paths.
VERSIONS ?= python3.12 python3.13
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements.lock
# The libraries that two benchmarks compare with and that read our NIR files in the tests, apart,
# since they ask for a lot.
PEERS := .venv-peers
PEERS_LOCK := requirements-peers.lock
BESIDE_PEERS := benchmarks/spiking.py benchmarks/converters.py benchmarks/own_network.py
# A file's tests stay in one process, which starts a simulator or a browser for all of them.
WORKERS := --numprocesses auto --dist loadfile
# Debian's Futhark, for a machine that has none on the path.
FUTHARK := .futhark
# What SpikingJelly's importer needs, beside the older versions that sinabs pins.
NEWER := nir==1.0.8 nirtorch==2.6

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The type checker runs on the Node.js of the lock file, whatever the machine has.
export PYRIGHT_PYTHON_GLOBAL_NODE := 0
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
export PATH := $(CURDIR)/$(FUTHARK)/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup futhark demo test check test-versions docs format experiments benchmarks lock clean

help: ## list the goals
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 20

demo: $(VENV)/.ready ## NAND, XOR and digits: trained as ANNs, run as spiking networks on NEST
	@$(BIN)/volr experiment nand xor digits --conditions ann,snn-surrogate,snn-transferred,ann-quantised,snn-exact

# The checks of the source need neither the peers nor Futhark, which are set up meanwhile.
test: $(VENV)/.ready ## format, lint, types, layers, tests
	@$(MAKE) --no-print-directory --jobs=3 check $(PEERS)/.ready futhark
	$(BIN)/pytest $(WORKERS)

check: $(VENV)/.ready ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-logo

# Each has an environment of its own, .venv-3.12 for example. WITHOUT=torch leaves a package out, and
# so the tests that need it.
test-versions: ## the tests on each other Python that the machine has, of VERSIONS
	@set -e; for each in $(VERSIONS); do \
	  version=$$($$each -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || { \
	    echo "$$each is not on this machine"; continue; }; \
	  echo "The tests on Python $$version ($$each)"; \
	  $(MAKE) --no-print-directory PYTHON=$$each VENV=.venv-$$version setup $(PEERS)/.ready futhark; \
	  .venv-$$version/bin/pytest $(WORKERS); done

docs: $(VENV)/.ready ## the documentation as a site, in build/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

format: $(VENV)/.ready ## format the code and mend what the linter can
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

experiments: $(VENV)/.ready futhark ## all conditions of NAND, XOR and both MNIST networks, ten seeds; some hours on two cores
	@$(BIN)/volr experiment nand xor mnist mnist-parallel --repeats 10 --out results/full
	@$(BIN)/python -m studies.pedersen2019 report results/full

benchmarks: $(VENV)/.ready $(PEERS)/.ready futhark ## the measured claims of the documentation
	@set -e; for script in $(filter-out $(BESIDE_PEERS),$(wildcard benchmarks/*.py)); do \
	  echo "$$script"; $(BIN)/python "$$script"; done
	@set -e; for script in $(BESIDE_PEERS); do \
	  echo "$$script"; $(PEERS)/bin/python "$$script"; done

setup: $(VENV)/.ready ## the virtual environment alone

# Without Futhark its tests are skipped, and at the end that is said; in CI they may not be.
futhark: ## Futhark's compiler, into .futhark, where the path has none
	@futhark --version >/dev/null 2>&1 || tools/install-futhark.sh $(FUTHARK) || test -z "$$CI"

# The stamps are written last, so a set-up that was cut short starts over.
$(VENV)/.packages: $(LOCK)
	@command -v $(PYTHON) >/dev/null || { \
	  echo "$(PYTHON) was not found: apt install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "Volr needs Python 3.11, 3.12 or 3.13, for which NEST has builds; $$($(PYTHON) --version)" \
	  "was found. With python3.13 and python3.13-venv installed by apt: make PYTHON=python3.13" >&2; \
	  exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments: apt install" \
	  "$$($(PYTHON) -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')" >&2; exit 1; }
	@echo "Installing the packages of $(LOCK) into $(VENV): a minute or more, PyTorch being large."
	@$(PYTHON) -m venv --clear $(VENV)
	@grep -v '^$(or $(WITHOUT),nothing)==' $(LOCK) >$(VENV)/wanted
	@$(PYTHON) tools/install_packages.py $(VENV) --requirement $(VENV)/wanted
	@touch $@

$(PEERS)/.packages: $(PEERS_LOCK) | $(VENV)/.packages
	@echo "Installing the packages of $(PEERS_LOCK) into $(PEERS)."
	@$(PYTHON) -m venv --clear $(PEERS)
	@$(PYTHON) tools/install_packages.py $(PEERS) --requirement $(PEERS_LOCK)
	@$(PYTHON) tools/install_packages.py $(PEERS) --no-deps --target $(PEERS)/newer $(NEWER)
	@touch $@

$(VENV)/.ready $(PEERS)/.ready: %/.ready: pyproject.toml %/.packages
	@$*/bin/python -m pip install -qq --no-deps --no-build-isolation --editable .
	@touch $@

# A lock file, and what else uv is told; the peers' has the versions of ours, but for nir, of which
# sinabs wants an older one. PyTorch's CUDA packages stay out, since each of its CUDA
# builds pins them itself and the CPU build needs none, and so do hashes, which differ between the
# two. Versions stay as they are unless pyproject.toml or `make lock UPGRADE=--upgrade` asks for
# others.
define resolve
@cp $(1) $(VENV)/lock
@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 $(2) \
  --no-header --no-annotate $(UPGRADE) --output-file $(VENV)/lock pyproject.toml
@{ echo '# Written by `make lock` from pyproject.toml.'; \
  grep -Ev '^(#|(cuda|nvidia)-|triton==)' $(VENV)/lock; } > $(VENV)/lock.new
@cmp -s $(VENV)/lock.new $(1) || mv $(VENV)/lock.new $(1)
endef

lock: $(VENV)/.ready ## resolve the lock files anew
	$(call resolve,$(LOCK),--all-extras --group dev)
	@grep -v '^nir==' $(LOCK) > $(VENV)/shared
	$(call resolve,$(PEERS_LOCK),--extra engine --extra torch --extra nest --group peers --constraint $(VENV)/shared)

clean: ## remove the virtual environments and all that is made, but results/ and ~/.cache/volr
	@rm -rf $(VENV) .venv-3.* $(PEERS) $(FUTHARK) build dist .hypothesis .import_linter_cache .pytest_cache .ruff_cache
	@find src studies tests benchmarks -name __pycache__ -prune -exec rm -rf {} +
