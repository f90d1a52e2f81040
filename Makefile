# The two commands of the README, and a few short names.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# Outside the checkout, so that a second clone starts warm.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/throughline/target
# Reference data with published answers; tests that need it say so when it is absent.
export THROUGHLINE_REFERENCE ?= $(abspath ../shared/data)

BIN := $(CARGO_TARGET_DIR)/release/throughline
DEMO ?= demo
# What `make demo` ends in; empty for the report alone.
SERVE ?= serve

.PHONY: help demo test soak bench truth setup setup-test studio build lint tidy unit docs pages browser cluster paint clean

help: ## What can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

setup: ## Install what is missing, or name it
	@tools/setup

setup-test:
	@tools/setup test

studio: setup ## The studio's pages, which go into the binary; without npm a page that says so
	@if command -v npm >/dev/null; then tools/studio build; else echo "npm is missing: building without the studio"; fi

build: studio ## The release binary, with the studio in it
	cargo build --release --locked -p throughline

demo: build ## A simulated market through the whole line, with a report, ending in the studio
	@if [ -f "$(DEMO)/throughline.yaml" ]; then echo "using the project in $(DEMO)"; \
	else $(BIN) init "$(DEMO)" --example demo; fi
	$(BIN) run "$(DEMO)"
	@if [ "$(SERVE)" = serve ]; then exec $(BIN) serve "$(DEMO)"; fi

test: setup-test pages lint tidy docs unit browser ## Everything a change must pass

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

tidy:
	cargo xtask tidy
	cargo xtask codegen --check

unit:
	cargo nextest run --workspace --locked

docs:
	cargo test --doc --workspace --locked --quiet

pages: studio ## The studio's own tests
	@if command -v npm >/dev/null; then tools/studio test; else echo "npm is missing: the studio is not tested" >&2; exit 1; fi

browser: ## The studio in Chromium, over the binary that the tests built
	cargo test --workspace --locked --no-run --quiet
	THROUGHLINE_BIN=$(CARGO_TARGET_DIR)/debug/throughline tools/studio browser

cluster: ## Journeys on a scheduler and two executors, in a workspace of its own
	cd cluster && CARGO_TARGET_DIR=$(CARGO_TARGET_DIR)-cluster cargo test --locked

paint: build ## How soon a reader sees the studio, on the release binary
	THROUGHLINE_BIN=$(BIN) PAINT=20 tools/studio browser paint

soak: build ## Random kills over every stage, on the release binary
	THROUGHLINE_KILLS=200 THROUGHLINE_BIN=$(BIN) cargo nextest run --workspace --locked -E 'test(kills)'

bench: build ## Our commands and what users would pick instead, in one run
	THROUGHLINE_BIN=$(BIN) tools/bench link
	THROUGHLINE_BIN=$(BIN) tools/bench ingest
	tools/bench evidence
	tools/bench attribution

truth: build ## docs/truth.md: twenty simulated markets through the line, and every estimator on 2,000 data sets, held against the truth
	$(BIN) market score --seeds 20 --markdown > docs/truth.md.part
	$(BIN) coverage --replications 2000 --markdown >> docs/truth.md.part
	mv docs/truth.md.part docs/truth.md

clean: ## Remove the demo project
	rm -rf "$(DEMO)"
