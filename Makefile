# `make demo` runs the main job on a planted corpus, `make test` the whole suite; both make their own
# environment first. Overridable: PYTHON, VENV, TORCH, LOCK, DEMO_OUT, SPHINX, and for gpu GPU_CORPUS, GPU_OUT, GPU_WORK, GPU_ARGS.
PYTHON ?= python3
VENV ?= .venv
# The CPU build where a package index offers one; see README for CUDA.
TORCH ?= torch==2.13.0
DEMO_OUT ?= demo-out
GPU_CORPUS ?= $(CYTOMOL_DATA)/corpus
GPU_OUT ?= build/gpu/out
GPU_WORK ?= build/gpu/work
GPU_ARGS ?=
SPHINX ?=
# LOCK=constraints.txt installs the versions that are written down there (python -m tools.constraints writes them).
LOCK ?=
PIP = $(BIN)/pip install --quiet $(if $(LOCK),--constraint $(LOCK))
BIN = $(VENV)/bin

.PHONY: demo test coverage lint doctest docs site wheel first-real-run speed growth memory fidelity gpu benchmarks newcomer recipe service streaming fuzz clean

$(VENV)/.base: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) "$(TORCH)"
	$(PIP) --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.base
	$(PIP) --editable ".[dev]"
	-$(BIN)/pip install --quiet --no-deps minimol==1.3.5  # weights for the tests of one encoder, skipped without
	touch $@

$(VENV)/.docs: $(VENV)/.base
	$(PIP) --editable ".[docs]"
	touch $@

demo: $(VENV)/.base
	$(BIN)/cytomol demo --force -o $(DEMO_OUT)

# Two processes, one thread each: the suite is many small computations. In the order of the folders, the long files
# of cli and integration come first, so that no process is left alone with one at the end.
test: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# Which lines the suite runs, of cytomol alone, into build/coverage.txt; processes that tests start are counted.
coverage: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --cov --cov-report=
	mkdir -p build
	$(BIN)/coverage report --ignore-errors --skip-covered --show-missing > build/coverage.txt
	$(BIN)/coverage json --ignore-errors --quiet -o build/coverage.json
	$(BIN)/python -m benchmarks.lines build/coverage.json

lint: $(VENV)/.dev
	$(BIN)/ruff check src tests benchmarks tools
	$(BIN)/ruff format --check src tests benchmarks tools
	$(BIN)/mypy
	$(BIN)/mypy --platform win32
	$(BIN)/mypy --platform darwin

# The examples of the docstrings; `make test` runs them too.
doctest: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/unit/test_doctests.py tests/unit/test_contributing.py

# The picture and the table of docs/architecture.md, and the site in build/docs: open build/docs/index.html. Notebooks
# run once for as long as they stay as they are; SPHINX="-D nb_execution_mode=off" leaves them unrun.
docs: $(VENV)/.docs
	$(BIN)/python -m tools.architecture
	$(MAKE) site

# The site alone, from the pages as they are.
site: $(VENV)/.docs
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -b html -W --keep-going $(SPHINX) docs build/docs

# Builds the wheel and the source archive, and uses the wheel in a clean environment: some minutes.
wheel: $(VENV)/.dev
	$(BIN)/python -m tools.wheel --torch "$(TORCH)"

# The committed table benchmarks/results/first_real_run.csv; needs CYTOMOL_DATA and about two hours.
first-real-run: $(VENV)/.base
	$(BIN)/python benchmarks/first_real_run.py --epochs 8 --precision bf16-mixed --geometry-timeout 5

# The committed rows of benchmarks/results/speed.csv and growth.csv, with their pages; on the real corpus where
# CYTOMOL_DATA has it, else on planted ones. Nothing else should run beside them.
speed: $(VENV)/.dev
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.speed.page

growth: $(VENV)/.dev
	$(BIN)/python -m benchmarks.growth
	$(BIN)/python -m benchmarks.growth.page

# The committed rows of benchmarks/results/memory.csv and docs/memory.md; needs CYTOMOL_DATA and a few hours. It
# goes on where it was cut, and other work may run beside it.
memory: $(VENV)/.dev
	$(BIN)/python -m benchmarks.memory
	$(BIN)/python -m benchmarks.memory.kernels
	$(BIN)/python -m benchmarks.memory.page

# The committed rows of benchmarks/results/fidelity.csv and docs/fidelity.md; needs CYTOMOL_DATA and about two
# hours. It goes on where it was cut; --only planted needs no data.
fidelity: $(VENV)/.dev
	$(BIN)/python -m benchmarks.fidelity
	$(BIN)/python -m benchmarks.fidelity --only real --forms before,nodes-profiled,authors --chmr-epochs 8 \
		--infoalign-epochs 12 --out benchmarks/results/fidelity_longer.csv
	$(BIN)/python -m benchmarks.fidelity.page

# Rows and weights from minutes on a machine with a GPU (docs/gpu.md): equality with the CPU, speed, and long
# trainings. It ends by itself after 9.5 minutes and goes on where it was cut; GPU_ARGS takes further arguments,
# such as "--device cpu --tiny" to rehearse it without a GPU.
gpu: $(VENV)/.base
	$(BIN)/python -m benchmarks.gpu --corpus $(GPU_CORPUS) --out $(GPU_OUT) --work $(GPU_WORK) $(GPU_ARGS)

# The committed rows of benchmarks/results/quality and docs/benchmarks.md; needs CYTOMOL_DATA, and many hours on
# two cores (the page has the seconds of every model). It goes on where it was cut; see also --stage and --sets.
benchmarks: $(VENV)/.dev
	$(BIN)/python -m benchmarks.quality
	$(BIN)/python -m benchmarks.quality.cell
	$(BIN)/python -m benchmarks.quality.planted
	$(BIN)/python -m benchmarks.quality.planted --method chmr
	$(BIN)/python -m benchmarks.quality.ablation
	$(BIN)/python -m benchmarks.quality.levers
	$(BIN)/python -m benchmarks.quality.stacking
	$(BIN)/python -m benchmarks.quality.averaged
	$(BIN)/python -m benchmarks.quality.molecules
	$(BIN)/python -m benchmarks.quality.stereo
	$(BIN)/python -m benchmarks.quality.page

# The committed rows of benchmarks/results/newcomer.csv and docs/benchmarks/newcomer.md; needs CYTOMOL_DATA and some
# minutes, and for chemprop its program (CYTOMOL_CHEMPROP). It goes on where it was cut.
newcomer: $(VENV)/.dev
	$(BIN)/python -m benchmarks.newcomer
	$(BIN)/python -m benchmarks.quality.page

# The committed rows of benchmarks/results/recipe.csv: the recipe by the code of another checkout (BEFORE) and by
# this one; needs CYTOMOL_DATA and some hours. It goes on where it was cut; --molecules rehearses it.
recipe: $(VENV)/.base
	$(BIN)/python -m benchmarks.recipe run --before $(BEFORE)
	$(BIN)/python -m benchmarks.recipe table

# The committed rows of benchmarks/results/service.csv and their table in docs/service.md: the HTTP service under
# load beside a naive server, some minutes. Rows that are there stay; nothing else should run beside it.
service: $(VENV)/.dev
	$(BIN)/python -m benchmarks.service
	$(BIN)/python -m benchmarks.service.page

# The committed rows of benchmarks/results/streaming.csv and their table in docs/guide.md: long inputs answered whole,
# killed in the middle and resumed. About an hour, most of it for a million molecules; other work may run beside it.
streaming: $(VENV)/.dev
	$(BIN)/python -m benchmarks.streaming --rows 10000 --chunk-rows 2048
	$(BIN)/python -m benchmarks.streaming --rows 100000
	$(BIN)/python -m benchmarks.streaming --rows 1000000
	$(BIN)/python -m benchmarks.streaming --verb embed --rows 50000 --chunk-rows 8192
	$(BIN)/python -m benchmarks.streaming --verb impute --rows 20000 --chunk-rows 4096
	$(BIN)/python -m benchmarks.streaming --verb match --rows 20000 --chunk-rows 4096
	$(BIN)/python -m benchmarks.streaming --verb explain --rows 1000 --chunk-rows 128
	$(BIN)/python -m benchmarks.streaming.page

# The rows of benchmarks/results/fuzz.csv: a million damaged inputs, two hours of one core or more; it goes on where it
# was stopped, prints failures and ends with status 1 if there were any.
fuzz: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz

clean:
	rm -rf $(VENV) $(DEMO_OUT)
