# Everything is reached from here; `make` alone lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CLUSTER ?= dev
PRESET ?= release
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60
configured = @test -f build/$(1)/build.ninja || cmake --preset $(1) > /dev/null
PYTEST := /usr/bin/python3 -m pytest -q -p no:cacheprovider

.PHONY: help deps tools build programs plugin image unit asan tsan fuzz fuzzers api-test backend-test e2e guides test demo cluster cluster-down faults arm64 dockerfile-test soak bench upgrade-test lint format generate golden clean

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

deps: ## install what building and testing needs (Debian packages), when it is missing
	@tools/deps.sh

tools: deps ## kubectl, helm and the cluster's parts, built once into a cache outside the tree
	@e2e/cluster/build-tools

build: deps ## compile the programs and the unit tests
	$(call configured,$(PRESET))
	@cmake --build build/$(PRESET) -j $(JOBS)

programs: deps ## compile what the image holds, and no tests
	$(call configured,$(PRESET))
	@cmake --build build/$(PRESET) -j $(JOBS) --target stash stash-webhook stash-controller

plugin: deps ## compile `kubectl stash`: build/release/bin/kubectl-stash (docs/kubectl-stash.md)
	$(call configured,$(PRESET))
	@cmake --build build/$(PRESET) -j $(JOBS) --target kubectl-stash

image: programs ## the image as a tar that containerd imports: build/images/stash-dev.tar
	@mkdir -p build/images && STASH_BUILD_DIR=build/$(PRESET) image/build build/images/stash-dev.tar

asan: ## unit tests under the address and undefined behaviour sanitizers
	@$(MAKE) --no-print-directory unit PRESET=asan

tsan: tools ## unit tests and tests against a real API server under the thread sanitizer
	@$(MAKE) --no-print-directory build PRESET=tsan
	@tools/tsan

fuzzers: deps
	$(call configured,fuzz)
	@cmake --build build/fuzz -j $(JOBS) --target fuzz

fuzz: fuzzers ## every fuzz target for a while (FUZZ_SECONDS=60); make test gives each a few seconds
	@FUZZ_SECONDS=$(FUZZ_SECONDS) ctest --test-dir build/fuzz --output-on-failure -j $(JOBS) -L fuzz

unit: build ## unit tests
	@ctest --test-dir build/$(PRESET) --output-on-failure -LE live

api-test: build tools ## tests against a real kube-apiserver and etcd
	@$(PYTEST) -n 2 --dist loadgroup e2e/api charts/tests

backend-test: build ## every backend on a real server with three versions of restic (cold: about 8 min of building more)
	@e2e/servers/build-servers
	@STASH_BUILD_DIR=build/$(PRESET) $(PYTEST) e2e/backends

e2e: image plugin tools ## end-to-end tests on a one-node cluster of their own
	@$(PYTEST) -n 3 --dist loadgroup -m "not slow" e2e/tests

upgrade-test: image tools ## helm upgrade from the chart of an earlier commit, of sidecars to another image; and uninstalling (minutes)
	@$(PYTEST) e2e/tests/test_zz_uninstall.py e2e/tests/test_zz_upgrade.py

guides: image plugin tools ## follow every guide of docs/ word by word on a cluster (make test does so, too)
	@e2e/servers/build-servers
	@$(PYTEST) -n 3 --dist loadgroup e2e/tests/test_guides.py

test: ## everything: unit tests, a real kube-apiserver, a one-node cluster
	@tools/run-tests

# Compilers and linkers of the one fill the idle processor of the other: a minute of a cold start.
demo: deps ## the main job on a one-node cluster, told as it goes; leaves the cluster up
	@$(MAKE) --no-print-directory -j2 image tools
	@e2e/demo

cluster: image tools ## a cluster that outlives the shell, with the chart installed (CLUSTER=name)
	@e2e/cluster_with_stash $(CLUSTER)

cluster-down: ## take that cluster down (CLUSTER=name)
	@e2e/cluster/cluster down $(CLUSTER)

faults: build image plugin tools ## tests that inject faults, and the table of what held (docs/reliability.md)
	@$(MAKE) --no-print-directory programs PRESET=faults
	@tools/run-faults

arm64: ## compile everything for arm64 and run the unit tests under emulation (half an hour)
	@tools/arm64

dockerfile-test: image ## build the Dockerfile by buildah, and compare its image with ours (half an hour)
	@image/test-dockerfile

soak: programs tools ## half an hour of load while faults strike; nothing may leak or stick (SOAK_MINUTES=30 STASH_SOAK_SEED=n)
	@e2e/soak

bench: build image tools ## what Stash costs, with goals and limits beside it (docs/performance.md); bench-NAME for one of bench/run --list
	@bench/run

bench-%: build image tools
	@bench/run $*

lint: deps ## clang-format and clang-tidy
	@tools/lint

format: deps ## rewrite the sources with clang-format
	@git ls-files '*.h' '*.cc' | xargs clang-format-19 -i

generate: build ## rewrite what is generated: the chart's CRDs, docs/reference.md, the tables of the chart's values in docs/
	@tools/chart-values
	@build/$(PRESET)/bin/crdgen --output-directory charts/stash/templates/crds
	@build/$(PRESET)/bin/crdgen --reference docs/reference.md

golden: build ## rewrite the golden files of the injector and the tables of docs/metrics.md; review them like code
	@UPDATE_GOLDEN=1 build/$(PRESET)/bin/inject_test
	@for room in controller webhook sidecar; do UPDATE_GOLDEN=1 build/$(PRESET)/bin/$${room}_test "docs/metrics.md says*" || exit 1; done

clean: ## remove the build directory (clusters must be down)
	@if ls build/cluster/*/kubeconfig >/dev/null 2>&1; then echo "a cluster is up: make cluster-down first"; exit 1; fi
	@rm -rf build
