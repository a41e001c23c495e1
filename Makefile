# The few verbs that people and CI use; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
JOBS ?= $(shell nproc)
export CCACHE_DIR ?= $(HOME)/.cache/ccache

.PHONY: help setup build debug ui ui-check ui-shots run test test-quick asan tsan fmt tidy docs bench bench-files \
	bench-postgres bench-dbt bench-ads bench-stream bench-serve crash-test fuzz fuzz-jinja golden clean

help: ## List these verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-14s %s\n", $$1, $$2 }'

setup: ## Install what is missing (quick when nothing is)
	@scripts/setup

ui: ## Build the web app into ui/dist (nothing to do when ui/ has not changed)
	@scripts/ui

ui-check: ## Check types and style of the web app, and run its unit tests
	@scripts/ui --check

ui-shots: ui ## Write pictures of every page into build/ui-shots, for people to look at
	@node tests/ui/shots.mjs

build: setup ui ## Build the release binary, build/release/shaduf
	@scripts/build release shaduf

debug: setup ui ## Build everything for debugging, build/debug
	@scripts/build debug all

run: build ## Build, and run the quickstart to its summary
	@scripts/quickstart build/release/shaduf

test: setup ## Run every test; ends with "N passed, N failed, N skipped"
	@scripts/setup --extras
	@scripts/ui
	@scripts/build debug all
	@scripts/test build/debug

test-quick: setup ## Run the tests that take no more than a moment
	@scripts/build debug all
	@scripts/test build/debug -LE slow

asan: setup ## Run every test under the address and undefined-behaviour sanitizers
	@scripts/build asan all
	@scripts/test build/asan

tsan: setup ## Run every test under the thread sanitizer
	@scripts/build tsan all
	@TSAN_OPTIONS="suppressions=$(CURDIR)/tests/tsan.supp die_after_fork=0" scripts/test build/tsan

fmt: ## Format all C++
	@git ls-files -co --exclude-standard '*.cc' '*.h' | xargs clang-format -i

tidy: ## Check the style of the house; clang-tidy on what differs from main, or FILES="src/a.cc"
	@tools/tidy.py
	@tools/clang_tidy $(FILES)

docs: build ## Write the pages of docs/ that are made from the declarations
	@scripts/docs build/release/shaduf

bench: bench-files bench-postgres bench-dbt bench-ads bench-stream bench-serve ## Run all benchmarks

bench-serve: build ## Measure the server: memory, and answers under 200 clients and 50 streams
	@bench/serve_load.py build/release/shaduf

bench-files: build ## Measure NDJSON to Parquet and DuckDB against DuckDB itself and Polars
	@bench/files

bench-dbt: build ## Measure dbt projects here and by dbt-core
	@scripts/setup --extras
	@bench/dbt

bench-postgres: build ## Measure PostgreSQL to DuckDB, Parquet and PostgreSQL against what people use instead
	@scripts/setup --extras
	@bench/postgres --docs

bench-ads: build ## Measure Facebook insights against Airbyte's connector and dlt
	@scripts/setup --extras
	@bench/ads --docs

bench-stream: build ## Measure Kafka to Parquet on S3 against librdkafka, Polars, json.loads and Kafka Connect
	@scripts/setup --extras
	@bench/stream --docs

crash-test: build ## Kill runs at 200 random moments each and compare contents
	@scripts/setup --extras
	@tests/crash/run --kills 200

golden: ## Write the expected text of the golden templates anew; read the diff
	@scripts/build debug jinja_render
	@python3 tests/jinja/golden_test.py build/debug/tests/jinja_render --rewrite

fuzz-jinja: ## Render 20,000 random templates here and by jinja2, and compare
	@scripts/setup --extras
	@scripts/build release jinja_render
	@/usr/bin/python3 tests/jinja/differential.py build/release/tests/jinja_render --count 20000

fuzz: ## Fuzz the parsers, a minute each
	@scripts/fuzz

clean: ## Remove what was built (not .deps)
	@rm -rf build
