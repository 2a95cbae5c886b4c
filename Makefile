# Tasks for people who work on augcli; each target installs what it needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)

.PHONY: help demo test test-lowest test-loaders test-browser test-ray test-buckets check format docs bench \
	bench-compare clean

help:
	@echo "make demo          install into $(VENV) and mix the sample photos"
	@echo "make test          install the test dependencies and run the whole suite"
	@echo "make test-lowest   the suite with the lowest versions that pyproject.toml allows"
	@echo "make test-loaders  run the tests and snippets with PyTorch, timm, datasets and others"
	@echo "make test-browser  open reports in Chromium (Debian's package chromium)"
	@echo "make test-ray      run the tests with a Ray cluster"
	@echo "make test-buckets  run the tests of gs:// and az:// (az:// needs azurite, of npm)"
	@echo "make check         lint (ruff) and types (mypy --strict)"
	@echo "make format        format the code"
	@echo "make bench         measure the speed (DATA=folder MODELS=folder): docs/performance.md"
	@echo "make bench-compare compare the results of two runs (A=file B=file)"
	@echo "make docs          regenerate the tables and pictures of the docs"

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/installed-tests: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[test,check]"
	@touch $@

demo: $(VENV)/installed
	$(BIN)/augcli cutmix sample_images --top-n 6
	@echo "Look at the pictures in sample_images-cutmix, and at sample_images-cutmix/metadata.csv"

test: $(VENV)/installed-tests
	$(BIN)/python -m pytest -n auto --dist worksteal

# Tests the lowest versions that pyproject.toml allows.
test-lowest:
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint tests/lowest.txt --editable ".[test]"
	.venv-lowest/bin/python -m pytest -n auto --dist worksteal

# An environment of its own, which stays: PyTorch is large, and no other test may need it.
LOADERS := tests/loaders/requirements
.venv-loaders/installed: pyproject.toml $(LOADERS).txt $(LOADERS)-alone.txt
	$(PYTHON) -m venv .venv-loaders
	.venv-loaders/bin/python -m pip install --quiet --disable-pip-version-check \
		--requirement $(LOADERS).txt --editable ".[test]"
	.venv-loaders/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--requirement $(LOADERS)-alone.txt
	@touch $@

test-loaders: .venv-loaders/installed
	.venv-loaders/bin/python -m pytest -m loaders

# The browser is the system's: playwright only drives it.
test-browser: $(VENV)/installed-tests
	$(BIN)/python -m pip install --quiet --disable-pip-version-check playwright axe-playwright-python
	$(BIN)/python -m pytest tests/report/test_browser.py

# The same for Ray.
.venv-ray/installed: pyproject.toml tests/ray/requirements.txt
	$(PYTHON) -m venv .venv-ray
	.venv-ray/bin/python -m pip install --quiet --disable-pip-version-check \
		--requirement tests/ray/requirements.txt --editable ".[test]"
	@touch $@

test-ray: .venv-ray/installed
	.venv-ray/bin/python -m pytest -m ray

# Emulators of Google's and Azure's storage. Azurite is no Python package: npm install -g azurite
test-buckets: $(VENV)/installed-tests
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--requirement tests/files/remote/requirements.txt
	$(BIN)/python -m pytest tests/files/remote tests/run/test_bucket_output.py

check: $(VENV)/installed-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/installed-tests
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/installed-tests
	$(BIN)/python docs/make_tables.py
	$(BIN)/python docs/make_pictures.py

# DATA holds photos.tar and cifar10.tar (by default, pictures are drawn), MODELS an ONNX classifier.
bench: $(VENV)/installed-tests
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "albumentations==2.0.8" psutil pyarrow onnx
	$(BIN)/python benchmarks/throughput.py --out docs/performance.md \
		$(if $(DATA),--data $(DATA)) $(if $(MODELS),--models $(MODELS)) $(BENCH)

bench-compare: $(VENV)/installed
	$(BIN)/python benchmarks/compare.py $(A) $(B)

clean:
	rm -rf $(VENV) .venv-lowest .venv-loaders .venv-ray sample_images-cutout sample_images-cutmix build dist
