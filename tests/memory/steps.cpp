// What a training step asks of the system once it has run twice: nothing. Libraries under xgrad are counted
// beside it.
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <xgrad/ops/fused.hpp>
#include <xgrad/xgrad.hpp>

#include "bench/workload.hpp"
#include "tests/memory/counted.hpp"
#include "tests/support/catch.hpp"

using namespace xgrad;

namespace {

/// So many threads while it lives.
struct Threads {
  explicit Threads(int n) : before(num_threads()) { set_num_threads(n); }
  ~Threads() { set_num_threads(before); }
  int before;
};

/// The step of a workload of the benchmarks.
std::function<void()> benchmark(std::string_view name) {
  for (const bench::Workload& workload : bench::workloads())
    if (workload.name == name && workload.system == "xgrad") return workload.make(num_threads());
  FAIL("no workload " << name);
  return {};
}

/// y = f(x) and the gradient in x for a cotangent of ones.
std::function<void()> forward_backward(const Shape& shape, std::function<Tensor(const Tensor&)> f) {
  const Tensor x = randn(shape, {.requires_grad = true}), dy = ones(shape);
  return [=] {
    x.set_grad({});
    f(x).backward({.gradient = dy});
  };
}

}  // namespace

TEST_CASE("from step 3 on the tiny models ask the system for nothing, nor do the libraries") {
  for (const int threads : {1, 2}) {
    const Threads setting(threads);
    for (const char* name : {"chain", "xor", "8-10-8-1"}) {
      const test::Counted counted = test::allocations(benchmark(name), 3, 1000);
      INFO(name << " on " << threads << " threads: " << counted.sources);
      CHECK(counted.ours + counted.libraries == 0);
    }
  }
}

TEST_CASE("from step 3 to step 1000 the MLP asks the system for nothing; oneDNN asks for its own") {
  for (const int threads : {1, 2}) {
    const Threads setting(threads);
    const test::Counted counted = test::allocations(benchmark("mlp_b32"), 3, 1000);
    std::printf("MLP, batch 32, %d threads, steps 3 to 1000: %llu allocations of ours; by object: %s\n",
                threads, static_cast<unsigned long long>(counted.ours),
                counted.sources.empty() ? "none" : counted.sources.c_str());
    INFO(threads << " threads: " << counted.sources);
    CHECK(counted.ours == 0);
  }
}

TEST_CASE("from step 3 on softmax, layer norm and a fused GELU ask the system for nothing") {
  const Tensor weight = ones({1024}, {.requires_grad = true}), bias = zeros({1024}, {.requires_grad = true});
  const auto gelu_written_out = [](const Tensor& in) {
    return fused(
        "gelu", [](auto x) { return 0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))); },
        in);
  };
  const std::pair<const char*, std::function<void()>> steps[] = {
      {"softmax", forward_backward({1024, 1024}, [](const Tensor& x) { return softmax(x); })},
      {"log_softmax", forward_backward({1024, 1024}, [](const Tensor& x) { return log_softmax(x); })},
      {"layer_norm",
       forward_backward({1024, 1024}, [=](const Tensor& x) { return layer_norm(x, {1024}, weight, bias); })},
      {"gelu", forward_backward({1'000'000}, gelu_written_out)},
  };
  for (const int threads : {1, 2}) {
    const Threads setting(threads);
    for (const auto& [name, step] : steps) {
      const test::Counted counted = test::allocations(step, 3, 40);
      INFO(name << " on " << threads << " threads: " << counted.sources);
      CHECK(counted.ours == 0);
    }
  }
}

TEST_CASE("from step 3 on a step of Adam over a million parameters asks the system for nothing") {
  std::vector<Tensor> parameters;
  for (int i = 0; i < 4; ++i) {
    parameters.push_back(full({500, 500}, 0.5, {.requires_grad = true}));
    parameters.back().set_grad(full({500, 500}, 0.01));
  }
  for (const int threads : {1, 2}) {
    const Threads setting(threads);
    optim::Adam adam(parameters);
    const test::Counted counted = test::allocations([&] { adam.step(); }, 3, 40);
    INFO(threads << " threads: " << counted.sources);
    CHECK(counted.ours == 0);
  }
}

TEST_CASE(
    "from its third batch on a fit asks the system for nothing, shuffled and with dropout and metrics") {
  struct Net {
    nn::Linear hidden{8, 10};
    nn::Dropout drop{0.2};
    nn::Linear out{10, 3};
    Tensor operator()(const Tensor& x) const { return out(drop(relu(hidden(x)))); }
  } model;
  std::vector<bench::AllocationSource> sources;
  const auto count = lambda_callback({.on_train_batch_end = [&](TrainState& s) {
    if (s.batch == 1) bench::start_counting();
    if (s.batch == s.batches - 1) sources = bench::stop_counting();
  }});
  Trainer trainer(model, optim::Adam(nn::parameters(model)), loss::cross_entropy, {metric::accuracy()});
  trainer.fit(rand({3200, 8}), randint(0, 3, {3200}), {.epochs = 2, .callbacks = {count}, .verbose = 0});
  for (const bench::AllocationSource& source : sources) FAIL_CHECK(source.object << ": " << source.calls);
}

TEST_CASE("an allocation within a step is counted, whichever function asks for it") {
  void* volatile block = nullptr;
  const auto ten = [&](auto allocate, auto free) {
    const auto step = [&] {
      block = allocate();
      free(block);
    };
    return test::allocations(step, 3, 12).ours == 10;
  };
  const auto unmap = [](void* p) { munmap(p, 4096); };
  CHECK(ten([] { return new int; }, [](void* p) { delete static_cast<int*>(p); }));
  CHECK(ten([] { return std::malloc(40); }, std::free));
  CHECK(ten([] { return std::calloc(4, 10); }, std::free));
  CHECK(ten([&] { return std::realloc(nullptr, 40); }, std::free));
  CHECK(ten([] { return std::aligned_alloc(64, 640); }, std::free));
  CHECK(ten(
      [] {
        void* p = nullptr;
        return posix_memalign(&p, 64, 640) == 0 ? p : nullptr;
      },
      std::free));
  CHECK(ten([] { return mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }, unmap));
}
