# `make` or `make help` lists the targets. Everything here runs on a machine that has Go and a package manager.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SETUP := ./deploy/local/setup.sh
# Tools that the setup keeps outside the system come last: the machine's own are taken where they are.
export PATH := $(PATH):$(shell $(SETUP) bin)

# How long a demo or one fuzz target runs: FOR=30s. Without it the demo goes on until Ctrl-C.
FOR ?=
# The demo's users and changes a second.
USERS ?=
RATE ?=
# JSON=1: the demo prints a summary as JSON, as its last line.
JSON ?=
# Of the fault harness: how many rounds, and the seed to reproduce a run with.
ROUNDS ?=
SEED ?=
# Where bench-evaluator writes its measurements.
OUT ?= evaluator-bench.json
# Packages of `make test`, `make bench` and `make fuzz`: PKG=./evaluator/...
PKG ?= ./...

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X muster/pipeline/app/command.version=$(VERSION)

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  Variables: FOR=30s JSON=1 USERS=N RATE=N (demo), CASES FOR PKG (fuzz), PKG (test, bench), ROUNDS SEED (nemesis),"
	@echo "  OUT PASSES (bench-evaluator)"

.PHONY: build
build: ## Build bin/muster
	@mkdir -p bin
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/muster .

.PHONY: demo
demo: ## Run the whole pipeline on this machine: Postgres, Kafka, ClickHouse, sample users, the worker
	@$(SETUP) demo
	@$(MAKE) --no-print-directory build >&2
	@bin/muster demo $(if $(FOR),--for $(FOR)) $(if $(USERS),--users $(USERS)) $(if $(RATE),--rate $(RATE)) \
		$(if $(filter-out 0,$(JSON)),--json)

.PHONY: test
test: ## Run every test with the race detector, against real Postgres, Kafka and ClickHouse
	@$(SETUP) test
	@go test -race -json -timeout 9m $(TESTFLAGS) $(PKG) ./.ci/count | go run ./.ci/count

.PHONY: lint
lint: ## Check formatting, go vet and staticcheck
	@.ci/lint

.PHONY: bench
bench: ## Run the benchmarks
	@$(SETUP) demo
	go test -run '^$$' -bench . -benchmem $(PKG)

.PHONY: bench-evaluator
bench-evaluator: ## Compare the evaluator with others, a row a measurement, into OUT
	cd evaluator/bench && go run . -passes $(or $(PASSES),1) -out '$(abspath $(OUT))'

.PHONY: api-check
api-check: ## Hold the API against its OpenAPI document with schemathesis, from PyPI, for FOR (60s)
	@$(SETUP) api
	@.ci/api-check $(or $(FOR:s=),60)

.PHONY: fuzz
fuzz: ## Hold the evaluators against each other in CASES random cases (10000000) and against Postgres, then fuzz every target for FOR each (30s)
	@$(SETUP) test
	go test ./evaluator/compiled -run 'TestAgreesWithPlain$$' -v -timeout 0 -args -cases $(or $(CASES),10000000)
	go test ./evaluator/compiled/internal/where -run TestPostgresAgrees -v -timeout 0 -args -rounds $(or $(ROUNDS),250)
	@.ci/fuzz '$(or $(FOR),30s)' '$(PKG)'

.PHONY: nemesis
nemesis: ## Kill and cut everything at random, and check that nothing is lost or doubled
	@$(SETUP) test
	go test -race -count 1 -timeout 0 -run '^TestNemesis' -v ./pipeline/nemesis -args \
		$(if $(ROUNDS),-rounds $(ROUNDS)) $(if $(SEED),-seed $(SEED))

.PHONY: clean
clean: ## Remove what was built; downloads stay in the cache
	rm -rf bin
