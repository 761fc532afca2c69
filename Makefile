# `make` alone lists the targets. Every target sets up what it needs by itself.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
LITELLM := .cache/litellm
ATHERIS := .cache/atheris
# Stages are started by dozens: each would compile all that it imports where the environment forbids to keep it.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.cache/bytecode
unexport PYTHONDONTWRITEBYTECODE
export SEEDS ?= 1 2 3 4 5
export SCENARIOS ?=
KILLS ?= 20
QUICK := $(addprefix tests/,house docs cli contract contracts correlate detect ingest metrics sinks report)
PAUSES ?= 5
# Tests, on two cores: many wait, for Kafka or for a session to end, while others work.
SIDE_BY_SIDE ?= 3
FUZZ_EXAMPLES ?= 30000
SECONDS ?= 600
HOURS ?= 1
PACE ?= 20
ACCOUNTS ?= 10000
PEER_HOURS ?= 20
RATE ?= 1
SBOM ?= out/sbom.cdx.json

.PHONY: help demo test quick fuzz fuzz-guided soak faults lint types bench cardinality bench-guard quality quality-readme quality-compare quality-full strangers strangers-readme adversary learn calibrate hardness report-scale clean lock audit sbom dashboards pictures flames peers walk helm-test litellm-test presets-test history-test sizing stack stack-test

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

$(VENV)/.installed: pyproject.toml uv.lock hatch_build.py detectors/ties/moves.c
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "Swerve needs Python 3.11, 3.12 or 3.13; this is %d.%d. Name another: make PYTHON=python3.12" % sys.version_info[:2])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv export -q --frozen --all-extras --no-emit-project --format requirements-txt -o $(VENV)/requirements.txt
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --require-hashes -r $(VENV)/requirements.txt
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --no-deps -e .
	@touch $@

setup: $(VENV)/.installed ## make .venv with the locked versions

demo: $(VENV)/.installed ## watch Swerve find a planted campaign, without Kafka
	@$(BIN)/swerve demo

test: $(VENV)/.installed ## run every test; with a real Kafka where Java 17 and Maven are; root installs Prometheus, Chromium
	@tools/install/monitors.sh chromium
	@$(BIN)/python -m pytest -n $(SIDE_BY_SIDE) --dist loadfile --no-loadscope-reorder --max-worker-restart 1

quick: lint types ## lint, types, and the tests that need no service: after every change, a minute on two cores
	@$(BIN)/python -m pytest -n 2 -q --dist loadfile -m "not service and not slow" $(QUICK)

faults: $(VENV)/.installed ## kill, stop, scale the stages under load, KILLS= and PAUSES= each; no Alertmanager for 10 min
	@$(BIN)/python -m tests.service.faults.drill --kills $(KILLS) --pauses $(PAUSES) --write
	@SWERVE_REQUIRE=kafka $(BIN)/python -m pytest tests/service/faults/check_reshard.py tests/service/faults/check_broker_dies.py tests/service/faults/check_network.py
	@AWAY_S=600 SWERVE_REQUIRE=alertmanager $(BIN)/python -m pytest tests/service/alerts/test_real_alertmanager.py -k away

soak: $(VENV)/.installed ## HOURS= of steady traffic at PACE= times real pace through every stage: does anything grow?
	@$(BIN)/python -m tests.service.faults.soak --hours $(HOURS) --pace $(PACE)

fuzz: $(VENV)/.installed ## every reader of bytes from outside against FUZZ_EXAMPLES= hostile ones each; half an hour
	@FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/python -m pytest -q tests/fuzz tests/contracts/test_every_source.py

$(ATHERIS)/.installed: tests/fuzz/atheris.txt $(VENV)/.installed
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes --target $(ATHERIS) -r $<
	@touch $@

fuzz-guided: $(ATHERIS)/.installed ## the same readers, by atheris, which follows coverage; SECONDS= of it, corpus and figures kept
	@PYTHONPATH=$(ATHERIS) $(BIN)/python -m tests.fuzz.guided --seconds $(SECONDS) --write

lint: $(VENV)/.installed ## ruff: style and format
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/.installed ## mypy, strict
	@$(BIN)/mypy

quality: $(VENV)/.installed ## simulate and replay, print how well campaigns are found; SEEDS="1 2" SCENARIOS="pivot quiet"
	@$(BIN)/python -m benchmarks.quality

quality-readme: $(VENV)/.installed ## the same, and put the table into README.md
	@$(BIN)/python -m benchmarks.quality | $(BIN)/python tools/readme_table.py README.md

quality-compare: $(VENV)/.installed ## Swerve and simpler detectors on one campaign and one quiet fleet, into docs/compare.md
	@SEEDS=1 SCENARIOS="pivot quiet" $(BIN)/python -m benchmarks.quality --no-real | $(BIN)/python tools/readme_table.py docs/compare.md

strangers: $(VENV)/.installed ## how well are campaigns found in fleets drawn at random, none learnt on? an hour on two cores
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.strangers

strangers-readme: $(VENV)/.installed ## the same, and put the tables into README.md, and the picture of probabilities into docs
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.strangers --picture docs/pictures/reliability.svg | $(BIN)/python tools/readme_table.py README.md

adversary: $(VENV)/.installed ## what does an adversary gain who has read the docs? writes docs/adversary.md; ten minutes
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.adversary --write

learn: $(VENV)/.installed ## learn what tells one operator's hand on random fleets, write detectors/judgement/learnt.py; an hour
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.learn

quality-full: $(VENV)/.installed ## quality, 50 quiet fleet-days, a tenth of the report at its own size
	@$(BIN)/python -m benchmarks.quality
	@SEEDS="31 32 33 34 35 36 37" SCENARIOS="quiet honest_networks" $(BIN)/python -m benchmarks.quality --no-rivals
	@SEEDS="1" SCENARIOS="at_scale" $(BIN)/python -m benchmarks.quality --no-rivals --scale 0.1

calibrate: $(VENV)/.installed ## how true is the probability of a named account? writes it into learnt.py; half an hour on two cores
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.calibrate

hardness: $(VENV)/.installed ## are random worlds as hard as they are meant to be? twenty of them, a minute or two
	@$(BIN)/python -m benchmarks.hardness

bench: $(VENV)/.installed ## how fast: records a second against a bare loop, memory, ticks, snapshots
	@$(BIN)/python -m benchmarks.throughput

cardinality: $(VENV)/.installed ## what does an hour of new names cost, of accounts, models, values? against the same hour without
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.cardinality

bench-guard: $(VENV)/.installed ## did a change make it slower? ratios against stored ones; GUARD=--quick under 30 s, GUARD=--keep stores
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.guard $(GUARD)

peers: $(VENV)/.installed ## what do Quix Streams, Bytewax and Faust cost for a simpler job? ACCOUNTS= PEER_HOURS= RATE=
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.peers --accounts $(ACCOUNTS) --hours $(PEER_HOURS) --rate $(RATE)

sizing: $(VENV)/.installed ## measure cores, memory and recovery, and put the tables into docs/operating.md
	@$(BIN)/python -m benchmarks.cost.sizing --keep && $(BIN)/python -m benchmarks.cost.sizing_kafka --keep
	@$(BIN)/python -m benchmarks.cost.recovery --kafka --accounts 30000 --keep
	@$(BIN)/python -m benchmarks.cost.sizing_guide | $(BIN)/python tools/readme_table.py docs/operating.md

report-scale: $(VENV)/.installed ## 24,000 accounts in 200 million requests, piped into backtest; hours, nothing on disk
	@$(BIN)/python -m benchmarks.report_scale

dashboards: $(VENV)/.installed ## write the generated files anew: dashboards, reference of metrics, chart, picture of rooms
	@$(BIN)/python tools/rooms_picture.py && $(BIN)/python -m tools.dashboards && $(BIN)/python tools/metrics_page.py && $(BIN)/python tools/chart_files.py && $(BIN)/python tools/chart_readme.py

pictures: $(VENV)/.installed ## draw the pictures of docs/how-it-decides.md anew, from a simulated campaign
	@OMP_NUM_THREADS=1 $(BIN)/python -m tools.decision_pictures docs/pictures

flames: $(VENV)/.installed ## draw where a replay's time goes, now and before, into docs/pictures; minutes
	@OMP_NUM_THREADS=1 $(BIN)/python -m tools.flame_graph docs/pictures

walk: $(VENV)/.installed ## photograph the walk of docs/on-call.md on a phone, in a real Chromium; a minute or two
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.service.chromium.walk

stack: $(VENV)/.installed ## start Kafka, every stage, Prometheus, Alertmanager and a simulated fleet, until Ctrl-C
	@tools/install/monitors.sh
	@$(BIN)/python -m tests.service.stack

stack-test: $(VENV)/.installed ## the same, checked: campaign found and told, every panel with data; some minutes
	@tools/install/monitors.sh
	@SWERVE_REQUIRE=kafka,prometheus,alertmanager $(BIN)/python -m pytest tests/service/stack/check_stack.py tests/service/stack/test_stack_smoke.py

helm-test: $(VENV)/.installed ## render the Helm chart and validate it; builds helm once with Go where there is none
	@tools/install/helm.sh >/dev/null && SWERVE_REQUIRE=helm $(BIN)/python -m pytest -q tests/deploy/test_chart.py

$(LITELLM)/.installed: tests/integrations/litellm.txt $(VENV)/.installed
	@$(BIN)/uv venv -q --allow-existing --python $(BIN)/python $(LITELLM)
	@$(BIN)/uv pip sync -q --python $(LITELLM)/bin/python $<
	@LITELLM_LOCAL_MODEL_COST_MAP=True $(LITELLM)/bin/python -c "import litellm.proxy.proxy_server" # compiles it, which a test should not wait for
	@touch $@

litellm-test: $(LITELLM)/.installed ## a real LiteLLM proxy with the shipped callback, in an environment of its own of 600 MB
	@SWERVE_LITELLM_PYTHON=$(CURDIR)/$(LITELLM)/bin/python $(BIN)/python -m pytest -q tests/integrations/test_litellm.py

presets-test: $(VENV)/.installed ## a fleet's traffic in the form of every preset and in ours: the same alerts? some minutes
	@$(BIN)/python -m pytest -q tests/mapping/check_every_preset.py

history-test: $(VENV)/.installed ## seven days of history and then live, on files and on Kafka, against one run; some minutes
	@$(BIN)/python -m pytest -q tests/service/records/check_seven_days.py

audit: $(VENV)/.installed ## has a locked dependency a known vulnerability? asks the index, and says where it gives no answer
	@$(BIN)/python -m tools.audit

sbom: $(VENV)/.installed ## write the bill of materials of what is installed with Swerve: CycloneDX, SBOM= names the file
	@mkdir -p $(dir $(SBOM)) && $(BIN)/uv export -q --frozen --all-extras --no-dev --format cyclonedx1.5 -o $(SBOM) >/dev/null && echo $(SBOM)

lock: $(VENV)/.installed ## lock the dependencies anew
	@tools/install/lock.sh

clean: ## remove what the targets made
	@rm -rf $(VENV) .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis out
