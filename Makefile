# `make demo` shows Sightings on photos that need no data of yours; `make test` runs all tests.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
EXTRAS := dlib,heic,demo,elasticsearch,service,evaluate,int8,dev

.PHONY: demo test test-fast lint bench evaluate clean

demo: $(INSTALLED)
	$(BIN)/sightings demo --dir demo

# Test modules take turns on two processors; each runs as a whole in one process. In the order of
# their names the long ones, on Elasticsearch, do not come last, when one process would work alone.
# A process that crashes ends the run: pytest-xdist may wait for ever after it has started another.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --max-worker-restart=0

test: $(INSTALLED)
	$(PYTEST)

test-fast: $(INSTALLED)
	$(PYTEST) -m "not slow"

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

TEST_DATA := $(or $(SIGHTINGS_TEST_DATA),../shared)

# BENCH takes its options: make bench BENCH="--quick --faces lfw/ --weights facenet.pt".
# Faces and weights are the test data's unless it names others.
bench: $(INSTALLED)
	SIGHTINGS_TEST_DATA="$(TEST_DATA)" $(BIN)/python -m benchmarks.ingest --json bench.json $(BENCH)

# EVALUATE takes its options: make evaluate EVALUATE="lfw/ --model facenet --report report".
# Without, the comparisons of five studies are run on the test data.
EVALUATE ?= $(TEST_DATA)/data/lfw --pairs $(TEST_DATA)/data/lfw_pairs.txt \
  --matrix studies --models $(TEST_DATA)/models --report evaluation

evaluate: $(INSTALLED)
	$(BIN)/sightings evaluate $(EVALUATE)

clean:
	rm -rf $(VENV) bench.json demo evaluation evaluation-work

# Where the package index offers torch's CPU build, that is taken: a tenth of the size.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	  || { echo "Sightings needs Python 3.10 or newer: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "Python's venv module is missing: sudo apt install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --upgrade pip
	@sed -n 's/^\(torch\|torchvision\)==\([^ ;]*\)/\1==\2+cpu/p' constraints.txt \
	  | $(BIN)/python -m pip install --quiet --requirement /dev/stdin 2>/dev/null \
	  || echo "The package index has no CPU build of torch: taking the default one (5 GB)."
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[$(EXTRAS)]"
	@touch $@
