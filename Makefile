# The two commands are `make train` and `make test`: each sets the machine up, builds and runs. The build itself is
# CMakeLists.txt's; for work on the library use its presets: cmake --preset release && cmake --build build
.DEFAULT_GOAL := help
.PHONY: help setup build train train-seeds test clang slow emulated bench bench-targets bench-readme bench-peers bench-check bench-record asan tsan format clean

JOBS ?= $(shell nproc)
COMPILERS ?= g++ clang++-14
images = /usr/share/datasets/fashion-mnist
configure = cmake --preset $(1) -DCMAKE_CXX_COMPILER="$$(cat build/compiler)" $(2) >build/configure-$(1).log \
	|| { cat build/configure-$(1).log; exit 1; }

help:  ## This list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup:
	@./setup.sh

build: setup  ## Set up and build the library, the tests and the examples
	@$(call configure,release)
	@cmake --build build -j $(JOBS)

train: setup  ## Set up, build, and train on the real Fashion-MNIST images: prints the test accuracy (OPTIONS='--epochs 1')
	@$(call configure,release)
	@cmake --build build -j $(JOBS) --target fashion_mnist
	@build/examples/fashion_mnist --data $(images) --model build/model.safetensors --history build/history.csv $(OPTIONS)
	@echo "The model is in build/model.safetensors, the history in build/history.csv."

train-seeds: setup  ## The same with seeds 0 to 4; fails unless each reaches 88% (fashion_mnist's own check)
	@$(call configure,release)
	@cmake --build build -j $(JOBS) --target fashion_mnist
	@failed=; for seed in 0 1 2 3 4; do \
	  printf 'seed %s: ' $$seed; \
	  build/examples/fashion_mnist --data $(images) --model build/seed.safetensors $(OPTIONS) --seed $$seed \
	    >build/seed.log 2>&1 || failed="$$failed $$seed"; \
	  grep '^test loss' build/seed.log || cat build/seed.log; \
	done; [ -z "$$failed" ] || { echo "failed with seed$$failed"; exit 1; }

test:  ## Set up, build, and run every test
	@./setup.sh python
	@$(call configure,release)
	@cmake --build build -j $(JOBS)
	@ctest --test-dir build -j $(JOBS) --output-on-failure
	@cat build/bench/check.txt  # ctest keeps it to itself that a test was skipped, and why

clang: clang++ = $$(command -v clang++ || command -v clang++-14)
clang:  ## Build everything with clang++ into build-clang, warnings as errors, and run every test there
	@./setup.sh python
	@[ -n "$(clang++)" ] || { echo "there is no clang++ here: apt-get install clang"; exit 1; }
	@$(call configure,release,-B build-clang -DCMAKE_CXX_COMPILER="$(clang++)" -DXGRAD_WERROR=ON \
	  -DXGRAD_PYTHON="$(CURDIR)/build/venv/bin/python3")
	@cmake --build build-clang -j $(JOBS)
	@ctest --test-dir build-clang -j $(JOBS) --output-on-failure

slow: build  ## What takes more than an hour: every float through every function
	@ctest --test-dir build -C slow -L slow --verbose

emulated: build  ## The kernels for AVX-512 on an emulated CPU that has it: for machines that have not
	@./setup.sh emulator
	@tests/emulated/run.sh build/tests/test_ops --filenames-as-tags --durations yes \
		'[#kernels_math]~[.],[#kernels_map]~[.],[#kernels_dual]~[.],[#gemm]~[.],[#linear]~[.],[#norm]~[.],[#fused]~[.],[#loss]~[.],[#reduce]~[.],[#reduce_search]~[.],[#accuracy][v4]'

bench: setup  ## Build and run the benchmarks: prints tables, writes build/bench.json
	@$(call configure,release)
	@cmake --build build -j $(JOBS) --target bench
	@build/bench/bench --json build/bench.json $(bench_options)
	@bench/table.py build/bench.json

bench-targets: bench_options = --targets
bench-targets: bench  ## Of the benchmarks only what the table of targets needs

bench-readme:  ## Put the tables of build/bench.json into bench/README.md
	@bench/table.py build/bench.json --readme >/dev/null

bench-peers: setup  ## Put the peers that the benchmarks compare with into build/peers
	@bench/peers/setup.sh build/peers

bench-check: setup  ## Compare the instructions of small workloads with those recorded: a part of make test
	@$(call configure,release)
	@cmake --build build -j $(JOBS) --target count
	@bench/check.py build/bench/count || [ $$? = 77 ]

bench-record: setup  ## Record these instructions anew, for each compiler at hand
	@for compiler in $(COMPILERS); do \
	  command -v $$compiler >/dev/null || { echo "no $$compiler here: its figures stay as they are"; continue; }; \
	  folder=build/count-$$compiler; [ $$compiler != "$$(cat build/compiler)" ] || folder=build; \
	  cmake --preset release -B $$folder -DCMAKE_CXX_COMPILER=$$compiler >/dev/null && \
	  cmake --build $$folder -j $(JOBS) --target count && bench/check.py $$folder/bench/count --record || exit 1; \
	done

asan: setup  ## Every test under the address and undefined-behaviour sanitizers
	@$(call configure,asan)
	@cmake --build build-asan -j $(JOBS)
	@ctest --preset asan -j $(JOBS)

tsan: setup  ## Every test under the thread sanitizer, built without OpenMP
	@$(call configure,tsan)
	@cmake --build build-tsan -j $(JOBS)
	@setarch "$$(uname -m)" -R ctest --preset tsan -j $(JOBS)

format:  ## Format every source file
	@git ls-files '*.cpp' '*.hpp' | xargs clang-format-14 -i

clean:  ## Remove everything that was built
	rm -rf build build-install build-clang build-debug build-asan build-tsan
