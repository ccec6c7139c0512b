# Two commands do everything: `make demo` and `make test`. Each sets up first; a second run installs nothing.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
UV_VERSION := 0.13.8
SYNC := $(BIN)/uv sync --frozen --quiet --all-extras --compile-bytecode
export DO_NOT_TRACK := true
export UV_PYTHON_DOWNLOADS := never

.PHONY: help setup demo test test-live prove kill soak cluster bench corpus clean

help:
	@echo "make setup   a local virtual environment from uv.lock; leaves the command at .venv/bin/hitl"
	@echo "make demo    six label rounds on real handwritten digits, in ./hitl-demo"
	@echo "make test    layers, types, style, words, and every test"
	@echo "make test-live  push and pull against a real Label Studio and a real doccano, installed into .live"
	@echo "make prove   500 random histories: what was undone is as if it had never come"
	@echo "make kill    every command killed at each call that changes a file, and run again (Linux; POINTS='--sample 20' tries fewer)"
	@echo "make soak    hitl advance on Prefect's schedule while whoever serves it is killed again and again, then every server stopped mid-round"
	@echo "make cluster  the pool scored on a Dask cluster of two processes, one of them killed at work, and on processes of Prefect's"
	@echo "make bench   what a round costs beside the same steps as bare function calls, and a delivery beside reading it"
	@echo "make corpus  the shared corpus of awkward deliveries, through check and ingest of fresh workspaces"

setup: .venv/.installed

.venv/.installed: uv.lock pyproject.toml
	@test -x $(BIN)/uv || { $(PYTHON) -m venv .venv && $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); }
	@# Behind a proxy only the system's certificates are right, on a bare machine only uv's own.
	@UV_SYSTEM_CERTS=true $(SYNC) 2>/dev/null || $(SYNC)
	@touch $@

demo: setup
	@$(BIN)/hitl demo

test: setup
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy
	@$(BIN)/pytest --numprocesses 2 --dist loadfile

test-live: setup
	@$(BIN)/python tests/live/servers.py
	@$(BIN)/pytest tests/live

prove: setup
	@HISTORIES=500 $(BIN)/pytest --quiet tests/tasks/test_undo_proof.py

kill: setup
	@$(BIN)/python -m tests.kill $(POINTS)

soak: setup
	@SOAK=300 $(BIN)/pytest --quiet tests/flows/test_soak.py
	@SOAK=300 $(BIN)/pytest --quiet tests/flows/test_outages.py

cluster: setup
	@CLUSTER=1 $(BIN)/pytest --quiet tests/flows/test_cluster.py

bench: setup
	@$(BIN)/python benchmarks/round_overhead.py
	@$(BIN)/python benchmarks/ingest.py
	@$(BIN)/python benchmarks/ledger.py

corpus: setup
	@for seed in 0 1; do for suite in shared heldout; do \
	  $(BIN)/python benchmarks/corpus.py --seed $$seed --suite $$suite || exit 1; done; done

clean:
	rm -rf .venv .live hitl-demo
