#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include <xgrad/ops/fused.hpp>
#include <xgrad/xgrad.hpp>

#include "bench/workloads/models.hpp"
#include "tests/support/catch.hpp"

// Every workload of bench/ gives the same bits on 1, 2, 4 and 8 threads: losses, gradients and weights, after
// each of 100 steps. The two that take long do fewer steps in `make test`; `[long]` does all of them.

using namespace xgrad;

namespace {

/// One step, which returns everything that it computed.
using Step = std::function<std::vector<Tensor>()>;

/// A number for the bits of all tensors (FNV-1a in words of 8 bytes).
std::uint64_t bits_of(const std::vector<Tensor>& tensors) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (const Tensor& t : tensors) {
    const Tensor values = t.detach().contiguous();
    const auto* bytes = reinterpret_cast<const unsigned char*>(values.data<float>());
    const std::size_t n = static_cast<std::size_t>(values.numel()) * sizeof(float);
    for (std::size_t i = 0; i < n; i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + i, n - i < 8 ? n - i : 8);
      h = (h ^ word) * 0x100000001b3u;
    }
  }
  return h;
}

/// Whether `make` gives a step whose results have the same bits on any number of threads, 8 being more than
/// some machines have.
void check_threads(const char* name, int steps, const std::function<Step()>& make) {
  const int before = num_threads();
  std::vector<std::uint64_t> alone;
  for (const int threads : {1, 2, 4, 8}) {
    set_num_threads(threads);
    manual_seed(1);
    const Step step = make();
    std::vector<std::uint64_t> bits;
    for (int i = 0; i < steps; ++i) bits.push_back(bits_of(step()));
    if (threads == 1) alone = bits;
    const auto differs = std::mismatch(bits.begin(), bits.end(), alone.begin()).first;
    INFO(name << " on " << threads << " threads differs from 1 first in step " << differs - bits.begin());
    CHECK(bits == alone);
  }
  set_num_threads(before);
  // A step that computes nothing new would pass.
  CHECK(alone.front() != alone.back());
}

/// Loss, gradients and, after the optimizer, weights of one training step on a batch after the other.
template <class Model, class Loss>
Step training(std::vector<Tensor> xs, std::vector<Tensor> ys, Loss loss) {
  struct State {
    Model model;
    optim::Adam adam{nn::parameters(model), {.lr = 1e-3}};
    std::vector<Tensor> xs, ys;
    std::size_t at = 0;
  };
  auto state = std::make_shared<State>();
  state->xs = std::move(xs);
  state->ys = std::move(ys);
  return [state, loss] {
    const std::size_t i = state->at++ % state->xs.size();
    const Tensor l = loss(state->model(state->xs[i]), state->ys[i]);
    l.backward();
    std::vector<Tensor> results{l};
    for (const auto& [path, p] : nn::named_parameters(state->model)) results.push_back(p.grad().detach());
    state->adam.step();
    for (const auto& [path, p] : nn::named_parameters(state->model)) {
      results.push_back(p);
      p.set_grad({});
    }
    return results;
  };
}

Step mlp(std::int64_t batch) {
  std::vector<Tensor> xs, ys;
  for (int i = 0; i < 8; ++i) {
    xs.push_back(rand({batch, 784}));
    ys.push_back(randint(0, 10, {batch}));
  }
  return training<bench::Mlp>(xs, ys, loss::cross_entropy);
}

Step adam() {
  auto parameters = std::make_shared<std::vector<Tensor>>();
  for (int i = 0; i < 10; ++i) {
    parameters->push_back(rand({1000, 1000}).detach().set_requires_grad(true));
    parameters->back().set_grad(rand({1000, 1000}) - 0.5);
  }
  auto optimizer = std::make_shared<optim::Adam>(*parameters, optim::AdamOptions{.lr = 1e-3});
  return [=] {
    optimizer->step();
    return *parameters;
  };
}

/// y = f(x), its gradient, and a step of x against it.
Step descending(Tensor x, std::function<Tensor(const Tensor&)> f) {
  const Tensor cotangent = rand(x.shape());
  return [=]() mutable {
    x = x.detach().set_requires_grad(true);
    const Tensor y = f(x);
    const Tensor dx = grad(y, x, {.grad_outputs = {cotangent}});
    x = x - 0.1 * dx;
    return std::vector<Tensor>{y, dx, x};
  };
}

}  // namespace

TEST_CASE("tiny models compute the same bits on any number of threads") {
  check_threads("chain", 100, [] {
    auto x = std::make_shared<Tensor>(tensor(0.5));
    return Step([x] {
      const Tensor start = x->detach().set_requires_grad(true);
      Tensor y = start;
      for (int i = 0; i < 250; ++i) {
        const Tensor a = y * start, b = y + start;
        y = (a + b) * start;
      }
      const Tensor dx = grad(y, start);
      *x = start - 0.001 * dx;
      return std::vector<Tensor>{y, dx, *x};
    });
  });
  check_threads("xor", 100, [] {
    std::vector<Tensor> xs, ys;
    for (int i = 0; i < 4; ++i) {
      xs.push_back(tensor({{double(i / 2), double(i % 2)}}));
      ys.push_back(tensor({{double(i / 2 != i % 2)}}));
    }
    return training<bench::Xor>(xs, ys, loss::binary_cross_entropy);
  });
  check_threads("8-10-8-1", 100, [] {
    std::vector<Tensor> xs, ys;
    for (int i = 0; i < 8; ++i) {
      xs.push_back(rand({32, 8}));
      ys.push_back(randint(0, 2, {32, 1}).astype(float32));
    }
    return training<bench::Classifier>(xs, ys, loss::binary_cross_entropy);
  });
}

TEST_CASE("a large model computes the same bits on any number of threads") {
  check_threads("mlp, batch 32", 100, [] { return mlp(32); });
  check_threads("mlp, batch 128", 100, [] { return mlp(128); });
  check_threads("mlp, batch 512", 100, [] { return mlp(512); });
}

TEST_CASE("single operations compute the same bits on any number of threads") {
  check_threads("gelu", 100, [] {
    return descending(randn({1'000'000}), [](const Tensor& x) {
      return fused(
          "gelu",
          [](auto v) { return 0.5 * v * (1 + tanh(0.7978845608028654 * (v + 0.044715 * v * v * v))); }, x);
    });
  });
  check_threads("softmax", 100, [] {
    return descending(randn({1024, 1024}), [](const Tensor& x) { return softmax(x); });
  });
  check_threads("log_softmax", 100, [] {
    return descending(randn({1024, 1024}), [](const Tensor& x) { return log_softmax(x); });
  });
  check_threads("layer_norm", 100, [] {
    return descending(randn({1024, 1024}), [w = rand({1024}), b = rand({1024})](const Tensor& x) {
      return layer_norm(x, {1024}, w, b);
    });
  });
  check_threads("inference", 100, [] {
    return Step([model = bench::Mlp{}, x = rand({1, 784})]() mutable {
      const NoGrad guard;
      const Tensor y = model(x);
      x = x + 0.01 * y(0, 0);
      return std::vector<Tensor>{y, x};
    });
  });
}

TEST_CASE("Adam over ten million parameters computes the same bits on any number of threads") {
  check_threads("adam", 100, adam);
}
