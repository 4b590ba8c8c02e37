# What one can do here. Every target sets itself up; nothing needs to be installed by hand but Python 3.11+ and make.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: help setup weights preview serve test lint format audit bench clean dist manifests sbom tools

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

setup: $(VENV)/ready  ## create .venv and install the project into it

$(VENV)/ready: EXTRAS := dev,bench
$(VENV)-serve/ready: EXTRAS := openvino,fonts,postgres,s3,tracing

$(VENV)/ready $(VENV)-serve/ready: pyproject.toml constraints.txt
	@echo "==> creating $(@D) and installing idphoto-serve with pinned dependencies"
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

weights: setup  ## fetch the nets of the default configuration and check them
	@echo "==> fetching and checking the weights"
	@$(BIN)/python -m models.weights --default

preview: weights  ## fetch what the page's private preview needs; takes npm
	@echo "==> fetching the files of the private preview"
	@$(BIN)/python -m models.preview

# In an environment without the tests' tools: Ray loads pandas into each of its processes where it
# finds it, which takes a tenth more memory.
serve: $(VENV)-serve/ready  ## run the service on 127.0.0.1:8000
	@echo "==> starting; ready when http://127.0.0.1:8000/readyz answers, stop with Ctrl-C"
	@$(VENV)-serve/bin/idphoto serve --config serve_config.yaml

test: weights  ## run every test
	@$(BIN)/python -m models.preview >/dev/null || echo "==> the files of the private preview are not there; its tests will fail"
	@echo "==> testing"
	@$(BIN)/python -m pytest

lint: setup  ## check style and types
	@echo "==> linting"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: setup  ## fix style where that can be done by itself
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# In an environment of its own: what checks the dependencies is not one of them.
audit:  ## ask PyPI's database of advisories about every pinned dependency
	@echo "==> auditing constraints.txt; needs the advisory database on the network"
	@test -x $(VENV)-audit/bin/python || $(PYTHON) -m venv $(VENV)-audit
	@$(VENV)-audit/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.10,<3'
	@$(VENV)-audit/bin/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

# The tools' own environment: nothing of them belongs to the service.
tools: $(VENV)-deploy/ready

$(VENV)-deploy/ready: deploy/tools.txt deploy/build.txt constraints.txt
	@echo "==> creating $(VENV)-deploy with what builds and checks the things in deploy/"
	@test -x $(VENV)-deploy/bin/python || $(PYTHON) -m venv $(VENV)-deploy
	@$(VENV)-deploy/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --requirement deploy/tools.txt
	@touch $@

dist: tools  ## build the wheel and the source archive into dist/
	@rm -rf build dist
	@$(VENV)-deploy/bin/python -c 'from setuptools import build_meta; build_meta.build_sdist("dist")'
	@$(VENV)-deploy/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .
	@echo "==> dist/"; ls dist

manifests: setup  ## write again what follows from serve_config.yaml and deploy/variants.yaml
	@$(BIN)/python -m deploy.render

sbom: setup  ## write sbom.json: every pinned dependency, as CycloneDX
	@test -x $(VENV)-sbom/bin/python || $(PYTHON) -m venv $(VENV)-sbom
	@$(VENV)-sbom/bin/python -m pip install --quiet --disable-pip-version-check 'cyclonedx-bom>=7.5,<8'
	@$(VENV)-sbom/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --output-file sbom.json constraints.txt
	@echo "==> sbom.json"

bench: weights  ## measure the pipeline, the service and Ray alone, in less than ten minutes
	@echo "==> measuring; other programs on this machine make the figures worse"
	@$(BIN)/python -m benchmarks.short

clean:  ## remove .venv, its sisters and caches of tools; the weights stay
	rm -rf $(VENV) $(VENV)-serve $(VENV)-audit $(VENV)-deploy $(VENV)-sbom dist sbom.json .mypy_cache .pytest_cache .ruff_cache *.egg-info
