# Every target is one command that could be typed. PYTHON chooses the interpreter that makes .venv.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.10 python3; do $$python -c '' 2>/dev/null && echo $$python && exit; done; echo python3)
# Two processes, a file of tests each, the long files first: half the time on 2 cores.
PYTEST  = .venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
INSTALLED = .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint federation compare report bench soak

help:  ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{sub(/ \| /, "\n                     ", $$2); printf "  make %-11s %s\n", $$1, $$2}'

demo: $(INSTALLED)  ## four sites on phantoms made on the spot: FedAvg, then gossip, their tables side by side (under 5 minutes)
	@.venv/bin/python -m experiments.demo

test: $(INSTALLED)  ## the fast tests, with a whole federation through real fx processes (under 10 minutes on 2 cores)
	@echo "make test: the fast tests, under 10 minutes on 2 cores"
	@$(PYTEST)

test-all: $(INSTALLED)  ## the fast tests and the slow ones
	@echo "make test-all: every test; the slow ones train for minutes"
	@$(PYTEST) -m "slow or not slow"

lint: $(INSTALLED)  ## ruff's checks and formatting
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .

federation: $(INSTALLED)  ## all sites on this machine | PLAN=gossip_head_neck DATA=<folder with one dataset per site> [RUN=name] [ARGS=...]
	@.venv/bin/python -m experiments.federation --plan "$(PLAN)" --data "$(DATA)" $(if $(RUN),--output "runs/$(RUN)") $(ARGS)

compare: $(INSTALLED)  ## a whole study of several schemes, resumable | ANATOMY=head_neck DATA=<folder> [SCHEMES="individual gossip"] [SEEDS="0 1"] [RUN=name] [STUDY=file] [PROCESSES=2] [ARGS=...]
	@.venv/bin/python -m experiments.compare $(if $(ANATOMY),--anatomy "$(ANATOMY)") $(if $(STUDY),--study "$(STUDY)") \
		$(if $(DATA),--data "$(DATA)") $(if $(SCHEMES),--schemes "$(SCHEMES)") $(if $(SEEDS),--seeds "$(SEEDS)") \
		$(if $(RUN),--output "runs/$(RUN)") $(if $(PROCESSES),--processes "$(PROCESSES)") $(ARGS)

report: $(INSTALLED)  ## a study as one HTML page; FINAL scores the test patients | RUN=<name of a study below runs/> [DATA=<folder>] [FINAL=1]
	$(if $(filter-out 0 1,$(FINAL)),$(error expected FINAL=1 or no FINAL, found FINAL=$(FINAL)))
	@.venv/bin/python -m experiments.report $(if $(RUN),--study "runs/$(RUN)") $(if $(DATA),--data "$(DATA)") $(if $(filter 1,$(FINAL)),--final) $(ARGS)

bench: $(INSTALLED)  ## [PART=convert] conversion beside other libraries, the exchange beside OpenFL's FedAvg, prediction beside plain PyTorch (25 minutes)
	@.venv/bin/python -m experiments.bench $(if $(PART),--part $(PART))

soak: $(INSTALLED)  ## six sites in six network namespaces, half an hour of faults, a verdict (Linux, root) | [MINUTES=30] [SEED=0] [RUN=name] [ARGS=...]
	@.venv/bin/python -m experiments.soak --minutes "$(or $(MINUTES),30)" --seed "$(or $(SEED),0)" $(if $(RUN),--output "runs/soak/$(RUN)") $(ARGS)

# The stamp is written last, so an interrupted installation is made again.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) experiments/check_python.py
	@echo "make: installing into .venv with $(PYTHON) (OpenFL, PyTorch, MONAI: about 1 GB); this takes 2 to 10 minutes, once"
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@.venv/bin/python experiments/check_python.py
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt ".[dev]"
	@touch $@
