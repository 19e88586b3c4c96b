# The everyday commands. `make` alone lists them.

SHELL := /bin/sh
.DEFAULT_GOAL := help

# Cargo is where rustup put it, even when the shell does not look there.
export PATH := $(PATH):$(HOME)/.cargo/bin

TARGET := $(or $(CARGO_TARGET_DIR),target)
HOME_FOLDER := $(or $(DISPENSE_HOME),.dispense)

# A newcomer waits for the build, not for the service: `dev` builds fastest and shares what `make test`
# has built. `make run PROFILE=release` is for those who measure.
PROFILE ?= dev
PROFILE_FOLDER := $(if $(filter dev,$(PROFILE)),debug,$(PROFILE))

# What `make fuzz` feeds, and how often.
FUZZ ?= container
RUNS ?= 1000000

# KAFKA=1 starts Apache Kafka next to the service.
KAFKA ?=
WITH_KAFKA := $(filter-out 0 no false,$(KAFKA))

# More arguments for the command, as in make run ARGS="--registry registry.ndjson".
ARGS ?=

.PHONY: help
help: ## List these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | \
		awk -F ':.*## ' '{ printf "  make %-12s  %s\n", $$1, $$2 }'

.PHONY: run
run: ## Start the service with a demo registry on a PostgreSQL of its own, with KAFKA=1 on a Kafka too; Ctrl-C stops all
	@scripts/install run
ifneq ($(WITH_KAFKA),)
	@scripts/install kafka
	@scripts/kafka
endif
	@cargo build --profile $(PROFILE) -p dispense-service --bin dispense
	@exec $(TARGET)/$(PROFILE_FOLDER)/dispense dev $(if $(WITH_KAFKA),--kafka) $(ARGS)

.PHONY: test
test: ## Run all tests, on servers of their own: PostgreSQL and Apache Kafka
	@scripts/install test
	@scripts/kafka
	cargo build --workspace --all-targets
	DISPENSE_BIN="$$(realpath $(TARGET))/debug/dispense" \
		$(TARGET)/debug/with-servers --kafka -- cargo test --workspace $(ARGS)

.PHONY: test-cluster
test-cluster: ## Kill each of three Kafka brokers in turn under load, and look whether the streams are whole
	@scripts/install test
	@scripts/kafka
	cargo build -p dispense-service -p dispense-embedded
	cargo build -p dispense-kafka --example consumer
	DISPENSE_BIN="$$(realpath $(TARGET))/debug/dispense" \
		$(TARGET)/debug/with-servers -- cargo test -p dispense-tests cluster -- --ignored --nocapture $(ARGS)

.PHONY: test-domain
test-domain: ## Run the tests of the rules alone, which need nothing and take seconds
	cargo test -p dispense-domain $(ARGS)

.PHONY: bench
bench: ## Measure the service against pgbench on this machine, and print the table
	@scripts/install bench
	@scripts/kafka
	cargo build --release -p dispense-service --bin dispense
	@exec $(TARGET)/release/dispense bench $(ARGS)

.PHONY: fuzz
fuzz: ## Feed broken containers, bodies or exports to what reads them; FUZZ=verification, bodies or export, RUNS=10000000
	@scripts/fuzz $(FUZZ) $(RUNS)

.PHONY: lint
lint: ## Check scripts, descriptions and what is deployed; ARGS=shell for one linter of scripts/lint.d
	@scripts/install lint
	@scripts/lint $(ARGS)

.PHONY: ready
ready: ## Check all that CI checks: tests, format, lints, docs
	@bash .ci/run

.PHONY: api
api: ## Write docs/api/ndp.json, the OpenAPI document, anew
	@mkdir -p docs/api
	@cargo run --quiet -p dispense-service --bin dispense -- openapi > $(TARGET)/ndp.json
	@mv $(TARGET)/ndp.json docs/api/ndp.json

.PHONY: docs
docs: ## Build the documentation of the code, and open it if there is a browser
	cargo doc --workspace --no-deps
	@command -v xdg-open >/dev/null && xdg-open $(TARGET)/doc/dispense/index.html || \
		echo "open $(TARGET)/doc/dispense/index.html in a browser"

.PHONY: clean-run
clean-run: ## Remove all that `make run` has kept, after asking
	@scripts/clean-run "$(HOME_FOLDER)"
