# Everything here sets itself up: a fresh Debian-like machine needs only make and Python 3.11 (3.12 to 3.14 too).
.DEFAULT_GOAL := help
SHELL := /bin/sh
.SUFFIXES:
MAKEFLAGS += --no-print-directory

VENV := .venv/bin
ARGS ?=
WORKERS ?= 2

# A finished environment answers for itself; otherwise a Python of the machine makes it.
define set_up
@if [ -x $(VENV)/python ] && $(VENV)/python -S tools/setup.py --check $(1) 2>/dev/null; then :; else \
	python=$$(PYTHON="$(PYTHON)" sh tools/find_python.sh) && "$$python" tools/setup.py $(1); fi
endef

.PHONY: help
help: ## Show what there is to make
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-19s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo '  ARGS="..." passes options on, for example: make demo ARGS="--json", make test ARGS="tests/unit -k wire"'

.PHONY: demo
demo: ## One question through a whole network on this machine (ARGS="--json", ARGS="--question '...'")
	$(call set_up,engine)
	@exec $(VENV)/gentorrent demo $(ARGS)

.PHONY: setup
setup: ## Make .venv with everything that GenTorrent needs to run, the window included
	$(call set_up,app)

.PHONY: run
run: setup ## Open the window (needs a desktop)
	@exec $(VENV)/gentorrent app $(ARGS)

.PHONY: test
test: dev ## Run the tests (ARGS="tests/unit" for some of them); what touches ONNX Runtime also with the next one
	@$(VENV)/python -m tools.system_libraries --install || true
	@$(VENV)/python -m tools.interop_environment || true
	$(VENV)/python -m tools.run_tests --workers $(WORKERS) $(ARGS)

.PHONY: lint
lint: dev ## Check style, types and who imports whom
	@failed=; for check in "ruff check" "ruff format --check" mypy lint-imports; do \
		echo "$$check"; $(VENV)/$$check || failed="$$failed $${check%% *}"; done; \
	if [ -n "$$failed" ]; then echo "lint failed:$$failed" >&2; exit 1; fi

.PHONY: format
format: dev ## Rewrite the source in the project's style
	$(VENV)/ruff check --fix --exit-zero
	$(VENV)/ruff format

.PHONY: lock
lock: dev ## Write requirements/*.lock anew from pyproject.toml (ARGS=--upgrade takes the newest versions)
	$(VENV)/python -m tools.lock $(ARGS)

.PHONY: translations
translations: dev ## Collect the window's texts for translators and compile their files (ARGS=fr begins a language)
	$(VENV)/python -m tools.translations $(ARGS)

.PHONY: screenshots
screenshots: dev ## Draw every view of the window, light, dark, German, narrow and dense, into docs/screenshots (ARGS=chat)
	@$(VENV)/python -m tools.system_libraries --install || true
	$(VENV)/python -m tools.screenshots $(ARGS)

.PHONY: bundle
bundle: dev ## Build dist/GenTorrent: one program that needs no Python (5 minutes); checks its licences and size
	@$(VENV)/python -m tools.system_libraries --install || true
	$(VENV)/python -m tools.bundle $(ARGS)

.PHONY: builtin-model
builtin-model: torch ## Train the built-in model anew from the help facts (hours; resumes; ARGS=--update after a change of wording)
	sh resources/engine/builtin/scripts/train.sh $(ARGS)

.PHONY: check-torch
check-torch: dev ## Compare all exported models with PyTorch and write the golden numbers anew
	@$(VENV)/python -m tools.torch_environment --exporters
	sh resources/engine/builtin/scripts/check_torch.sh
	ORT_DISABLE_TELEMETRY=1 $(VENV)/python -m tests.families.export.make $(ARGS)

.PHONY: torch
torch: dev
	@$(VENV)/python -m tools.torch_environment

.PHONY: dev
dev:
	$(call set_up,dev)

.PHONY: bench-setup
bench-setup: dev ## Make .venv-peers and the model files for gentorrent bench (10 GB, some minutes)
	$(VENV)/python -m tools.peers_environment $(ARGS)

.PHONY: test-peers
test-peers: dev ## Test the openai back end against a real server (after make bench-setup)
	TEST_PEERS=1 $(VENV)/python -m pytest tests/peers -p no:xdist $(ARGS)

.PHONY: test-long-inference
test-long-inference: dev ## Test the inference engine with full counts, on both ONNX Runtimes (20 minutes; resumes)
	ORT_DISABLE_TELEMETRY=1 $(VENV)/python -m tests.parity.long_run $(ARGS)

.PHONY: test-long-links
test-long-links: dev ## Hold 21 real links for 30 minutes and an overlay for 8 simulated hours: nothing may grow (resumes)
	$(VENV)/python -m tests.soak.long_run $(ARGS)

.PHONY: test-long-churn
test-long-churn: dev ## Ask 20,000 simulated answers while relays die, and chat for 8 simulated hours (40 minutes; resumes)
	$(VENV)/python -m tests.churn.long_run $(ARGS)

.PHONY: test-long-real-churn
test-long-real-churn: dev ## Ask 60 answers while real relays are killed (7 minutes, on a machine that does nothing else)
	$(VENV)/python -m tests.churn.real_churn $(ARGS)

.PHONY: test-long-graph
test-long-graph: dev ## Let 2,000 simulated relays find their links, and a fifth of them conspire (25 minutes; resumes)
	$(VENV)/python -m tests.graph.long_run $(ARGS)

.PHONY: test-long-forwarding
test-long-forwarding: dev ## Hold every claim about forwarding against the simulator, up to 1,000 nodes (60 minutes; resumes)
	$(VENV)/python -m tests.forwarding.long_run $(ARGS)

.PHONY: test-long-verification
test-long-verification: dev ## Simulate 30,000 epochs of honest nodes for each source of noise, and 400 of each cheat; measure what scoring takes, and test claims of speed (45 minutes; resumes)
	$(VENV)/python -m tests.verification.long_run $(ARGS)

.PHONY: test-long-demo
test-long-demo: dev ## Run the demo with every way of cheating, three times each (25 minutes, on a machine that does nothing else; resumes)
	$(VENV)/python -m tests.demo.long_run $(ARGS)

.PHONY: test-long-hand-over
test-long-hand-over: dev ## Kill the machine that answers in mid-answer, 50 times (20 minutes, on a machine that does nothing else; resumes)
	$(VENV)/python -m tests.forwarding.handover_run $(ARGS)

.PHONY: test-long-pause
test-long-pause: dev ## Press pause in mid-answer, 50 times: memory must be free within a second (15 minutes, on a machine that does nothing else; resumes)
	$(VENV)/python -m tests.pause.long_run $(ARGS)

.PHONY: test-long-contention
test-long-contention: dev ## Let other programs need the machine, 20 times: it must pause within 2 s (10 minutes, on a machine that does nothing else; resumes)
	$(VENV)/python -m tests.contention.long_run $(ARGS)

.PHONY: test-long-committee
test-long-committee: dev ## Play 10,500 adversarial schedules of the committee's agreement (10 minutes; resumes)
	$(VENV)/python -m tests.committee.long_run $(ARGS)

.PHONY: test-bundle
test-bundle: dev ## Build the bundle and start it where there is no Python (root; 5 minutes); writes docs/test-results/bundle.md
	@$(VENV)/python -m tools.system_libraries --install || true
	$(VENV)/python -m tests.bundle.long_run

.PHONY: test-nat
test-nat: dev ## Link every pair of router kinds in network namespaces (root); writes the table of docs/nat.md
	@$(VENV)/python -m tools.system_libraries --install || true
	$(VENV)/python -m tests.nat.table

.PHONY: clean
clean: ## Remove build outputs and caches; .venv stays
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis htmlcov .coverage .coverage.*
	find app engine tests tools resources -name __pycache__ -type d -prune -exec rm -rf {} +
