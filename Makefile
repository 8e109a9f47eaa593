# The main commands are `make serve` and `make test`. `make help` lists the others.
.DEFAULT_GOAL := help
.PHONY: help serve test test-fast test-nightly coverage all-tests fast-tests check format lint types imports \
	load bench soak train bundle fix lock size clean python

# The machine's python3 if its version is supported, otherwise another installed version.
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
BIN := $(if $(filter Windows_NT,$(OS)),.venv/Scripts,.venv/bin)
MODELS := $(or $(VITRINE_MODELS),models)

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

serve: .venv/run.stamp  ## export missing models and serve on port 8000
	@$(BIN)/python -m training export --missing --models "$(MODELS)" || \
		echo "Some models could not be exported (see above); serving the others."
	@exec $(BIN)/python -m service

# On all cores; the tests of a file run on one worker, see tests/conftest.py.
PYTEST = $(BIN)/python -m pytest -q -n auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder
unexport PYTHONDONTWRITEBYTECODE  # otherwise every worker compiles all tests in every run
# Coverage costs 15 % more processor time from Python 3.12 on (sys.monitoring), half as much again on 3.11 (tracing).
MONITORED = $(shell $(BIN)/python -c 'import sys; print(*["COVERAGE_CORE=sysmon"] * (sys.version_info >= (3, 12)))')
SIDE_BY_SIDE = $(MAKE) --no-print-directory -j 2

test: .venv/dev.stamp  ## static checks and all tests except the nightly ones
	@$(SIDE_BY_SIDE) all-tests check
test-fast: .venv/dev.stamp  ## static checks and the tests without TensorFlow
	@$(SIDE_BY_SIDE) fast-tests check
test-nightly: check  ## all tests: also soak, repeated trainings, second browser, cluster (CI once a day)
	$(MONITORED) $(PYTEST) --cov
coverage: .venv/dev.stamp  ## the tests without TensorFlow, and the coverage of each module
	$(MONITORED) $(PYTEST) -m "$(WITHOUT_TENSORFLOW)" --cov

WITHOUT_TENSORFLOW = not tensorflow and not browser and not nightly
all-tests: .venv/dev.stamp
	$(MONITORED) $(PYTEST) -m "not nightly" $(if $(MONITORED),--cov)
fast-tests: .venv/dev.stamp
	$(MONITORED) $(PYTEST) -m "$(WITHOUT_TENSORFLOW)" $(if $(MONITORED),--cov)

check: format lint types imports  ## only the static checks

format: .venv/dev.stamp
	$(BIN)/ruff format --check .
lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/codespell
types: .venv/dev.stamp
	$(BIN)/mypy
imports: .venv/dev.stamp
	$(BIN)/lint-imports

load: .venv/run.stamp  ## raise the load on the running service (VITRINE_URL) until it is overloaded
	$(BIN)/python -m clients.load
bench: .venv/run.stamp  ## compare the service with a decode-only endpoint and the raw model
	$(BIN)/python -m clients.benchmark
soak: .venv/run.stamp  ## hours of hostile requests, faults and long use, resumable; SOAK=--short takes minutes
	$(BIN)/python -m clients.robustness.soak --models "$(MODELS)" $(SOAK)
train: .venv/run.stamp  ## train a job: make train JOB=digits-course
	$(BIN)/python -m training train $(JOB)

bundle: .venv/run.stamp  ## write a folder for offline installation: make bundle OUTPUT=bundle
	$(BIN)/python -m training export --missing --models "$(MODELS)"
	VITRINE_MODELS="$(MODELS)" PYTHON="$(BIN)/python" .ci/bundle $(or $(OUTPUT),dist/bundle) $(or $(LOCK),serve-onnx)

fix: .venv/dev.stamp  ## format, and apply the linter's fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
size:  ## lines per module
	@git ls-files '*.py' '*.js' | xargs wc -l | sort -n

# One universal lock per purpose, with hashes and without addresses; the smaller ones agree with the largest.
COMPILE := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
lock: .venv/dev.stamp  ## resolve the locks again from pyproject.toml
	$(COMPILE) pyproject.toml --extra tensorflow --extra class --extra training --extra clients --extra tracing --extra dev -o requirements/dev.lock
	$(COMPILE) pyproject.toml --extra tensorflow --extra class --extra cluster -c requirements/dev.lock -o requirements/cluster.lock
	$(COMPILE) pyproject.toml --extra tensorflow --extra class --extra training --extra clients -c requirements/dev.lock -o requirements/run.lock
	$(COMPILE) pyproject.toml --extra tensorflow --extra class -c requirements/dev.lock -o requirements/service.lock
	$(COMPILE) pyproject.toml --extra class -c requirements/dev.lock -o requirements/serve-onnx.lock

clean:  ## remove the environment and caches, but not models and runs
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

.venv/%.stamp: requirements/%.lock | python
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

python:
	@test -n "$(PYTHON)" || { echo "Vitrine needs Python 3.11, 3.12 or 3.13 (TensorFlow 2.21 has no build for others); \
	this machine has $$(python3 --version 2>&1). Install one of them and try again."; exit 1; }
