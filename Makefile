# The verbs of this project. `make help` lists them.
JOBS ?= $(shell nproc)
REVISION := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
SOURCES = git ls-files '*.cpp' '*.h'

.DEFAULT_GOAL := help
.PHONY: help bootstrap build check test runtime browser screenshots e2e demo image deb manifests bench docs man asan tsan tidy format layers clean

help: ## This list
	@sed -nE 's/^([a-z0-9]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

bootstrap: ## Install the Debian packages that build, tests and demo need
	scripts/bootstrap

build: ## Build build/release/imagesweep and the tests
	scripts/bootstrap build
	cmake --preset release -DIMAGESWEEP_REVISION=$(REVISION)
	cmake --build --preset release -j $(JOBS)

layers: ## Check who includes whom below agent/
	tools/check_layers

check: build layers ## Unit and integration tests
	scripts/test unit integration

test: ## Everything: packages, build, layers, every tier of tests
	scripts/bootstrap build test image package
	$(MAKE) build layers
	scripts/test

runtime: build ## The tests on real containerd, CRI-O, and Docker
	scripts/bootstrap test
	scripts/test runtime

browser: build ## The status page in a headless Chromium
	scripts/bootstrap test
	scripts/test browser

screenshots: build ## Make the pictures of docs/images again
	scripts/bootstrap test
	IMAGESWEEP_SCREENSHOTS=$(CURDIR)/docs/images /usr/bin/python3 -m pytest -q -c tests/pytest.ini tests/web -k fits_the_screen

e2e: build image ## The tests on real runtimes and a real Kubernetes, with every version of containerd and Kubernetes
	scripts/bootstrap test
	IMAGESWEEP_TEST_VERSIONS=all scripts/test runtime cluster

demo: ## Watch it work on a private containerd (CLUSTER=1: on a real one-node Kubernetes)
	@scripts/bootstrap build test
	@$(MAKE) --no-print-directory build
	@scripts/demo $(if $(CLUSTER),--cluster)

image: ## Build the container image and its list of contents in build/image (ARCH=arm64: for another machine)
	scripts/image $(ARCH)

deb: build ## Make the Debian package in build/package, for hosts without Kubernetes
	scripts/package

manifests: ## Copy the schema of the policy into the chart, then make the chart's README and the plain manifests
	scripts/manifests

man: build ## Write the manual pages to build/man
	build/release/imagesweep man build/man

asan: ## Unit and integration tests with AddressSanitizer and UndefinedBehaviorSanitizer
	scripts/bootstrap build
	cmake --preset asan
	cmake --build --preset asan -j $(JOBS)
	ctest --preset asan -j $(JOBS)

tsan: ## Unit and integration tests with ThreadSanitizer, but those that use gRPC or cpprestsdk (Debian does not instrument them), and long ones with a single thread
	scripts/bootstrap build
	cmake --preset tsan
	cmake --build --preset tsan -j $(JOBS)
	ctest --preset tsan -j $(JOBS)

tidy: ## clang-tidy over agent/ and tests/, without files that were clean and did not change
	scripts/bootstrap build tidy
	cmake --preset tidy
	cmake --build --preset tidy --target imagesweep_cri_proto --target imagesweep_containerd_proto
	tools/tidy build/tools/clang-tidy/bin/clang-tidy build/tidy $(JOBS)

bench: build ## Benchmarks: the plan, on a private containerd the agent and its removals, removals from Docker, and what many agents ask of an API server (needs root)
	@for program in build/release/bench/*_bench; do echo "== $$program"; $$program || exit 1; done
	scripts/bootstrap test
	bench/agent
	bench/removal
	bench/removal-docker
	bench/fleet

docs: build ## Make the generated pages of docs/reference and the picture of docs/architecture.md
	scripts/bootstrap docs
	build/release/imagesweep policy reference > docs/reference/policy.md
	build/release/imagesweep policy schema > docs/reference/policy.schema.json
	scripts/metrics-reference > build/metrics.md && mv build/metrics.md docs/reference/metrics.md
	scripts/draw

format: ## Format the C++ sources
	scripts/bootstrap tidy
	$(SOURCES) | xargs clang-format -i

clean: ## Remove what was built here; what is cached outside the tree stays
	rm -rf build
