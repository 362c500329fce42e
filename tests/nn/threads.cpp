// Threads that share a model. Run under the thread sanitizer too (make tsan), which sees what a result cannot
// show.
#include <functional>
#include <latch>
#include <string>
#include <thread>
#include <xgrad/core/create.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/core/random.hpp>
#include <xgrad/nn/nn.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/loss.hpp>
#include <xgrad/ops/reduce.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;

namespace {

struct Net {
  nn::Embedding words{10, 6};
  nn::Linear hidden{6, 16};
  nn::LayerNorm norm{16};
  nn::Dropout drop{0.25};
  nn::BatchNorm1d batch_norm{16};
  nn::Linear out{16, 4};
  Tensor operator()(const Tensor& x) const {
    const nn::ModeOverride evaluating(false);  // and not eval(net), which would visit it
    const Tensor h = gelu(norm(hidden(words(x))));
    return out(batch_norm(drop(h)) + h);
  }
};

struct Batch {
  Tensor x, y;
};
Batch batch(int k) {
  Generator g(7, static_cast<std::uint64_t>(k));
  return {randint(0, 10, {32}, {}, &g), randint(0, 4, {32}, {}, &g)};
}

/// A model that nobody has visited: whoever does it first gives the parameters their names.
Net fresh() {
  manual_seed(3);
  return Net();
}

using Values = std::vector<std::vector<float>>;
Values values(const std::vector<Tensor>& tensors) {
  Values v;
  for (const Tensor& t : tensors) v.push_back(t.to_vector<float>());
  return v;
}

Values gradients(const Net& net, const Batch& b) {
  std::vector<Tensor> parameters;
  for (const auto& [name, p] : nn::parameters(net)) parameters.push_back(p);
  return values(grad(cross_entropy(net(b.x), b.y), parameters));
}

/// Runs f(0) and f(1) on two threads that begin together; returns what they threw, or "".
std::string together(const std::function<void(int)>& f) {
  std::latch start(2);
  std::string thrown[2];
  const auto run = [&](int k) {
    start.arrive_and_wait();
    try {
      f(k);
    } catch (const std::exception& e) {
      thrown[k] = e.what();
    }
  };
  std::thread other(run, 1);
  run(0);
  other.join();
  return thrown[0] + thrown[1];
}

constexpr int rounds = 40;

}  // namespace

TEST_CASE("threads that differentiate over one model get what each gets alone") {
  const Net net = fresh();
  Values of[2][rounds];
  CHECK(together([&](int k) {
          for (Values& v : of[k]) v = gradients(net, batch(k));
        }) == "");
  for (int k : {0, 1}) {
    const Values alone = gradients(nn::clone(net), batch(k));
    for (const Values& v : of[k]) CHECK(v == alone);
  }
  for (const auto& [name, p] : nn::parameters(net)) {
    CHECK(p.name() == name);
    CHECK_FALSE(p.grad().defined());
  }
}

TEST_CASE("threads may call value_and_grad with one model") {
  const Net net = fresh();
  const auto f = value_and_grad([](const Net& n, const Batch& b) { return cross_entropy(n(b.x), b.y); });
  float value[2] = {};
  Values of[2];
  CHECK(together([&](int k) {
          for (int i = 0; i < rounds; ++i) {
            const auto [v, g] = f(net, batch(k));
            value[k] = v.item<float>();
            of[k] = values({g.words.weight, g.hidden.weight, g.norm.weight, g.batch_norm.bias, g.out.bias});
          }
        }) == "");
  for (int k : {0, 1}) {
    const auto [v, g] = f(net, batch(k));
    CHECK(value[k] == v.item<float>());
    CHECK(of[k] == values({g.words.weight, g.hidden.weight, g.norm.weight, g.batch_norm.bias, g.out.bias}));
  }
}

TEST_CASE(
    "a thread may evaluate a model, writing nothing, that another one differentiates in training mode") {
  manual_seed(3);
  struct {
    nn::Linear hidden{6, 16};
    nn::Dropout drop{0.5};
    nn::Linear out{16, 4};
    Tensor operator()(const Tensor& x) const { return out(drop(relu(hidden(x)))); }
  } net;
  const Tensor x = randn({32, 6});
  std::vector<float> seen[rounds];
  CHECK(together([&](int k) {
          for (std::vector<float>& v : seen) {
            if (k == 0) {
              const Tensor loss = net(x).square().mean();
              grad(grad(loss, net.hidden.weight, {.create_graph = true}).square().sum(), net.out.weight);
            } else {
              const NoGrad no_grad;
              const nn::ModeOverride mode(false);
              v = net(x).to_vector<float>();
            }
          }
        }) == "");
  nn::eval(net);
  const std::vector<float> alone = net(x).to_vector<float>();
  for (const std::vector<float>& v : seen) CHECK(v == alone);
}

TEST_CASE("backward into leaves that another thread's backward holds is an error that points to grad") {
  const Net net = fresh();
  const auto loss = [&] { return cross_entropy(net(batch(0).x), batch(0).y); };
  nn::parameters(net);  // names them
  const Tensor logits = net(batch(0).x);
  std::string thrown, fine;
  // In the midst of this thread's sweep.
  logits.register_hook([&](const Tensor&) {
    std::thread([&] {
      try {
        loss().backward();
      } catch (const GraphError& e) {
        thrown = e.what();
      }
      try {
        grad(loss(), net.out.weight);
      } catch (const GraphError& e) {
        fine = e.what();
      }
    }).join();
    return Tensor();
  });
  cross_entropy(logits, batch(0).y).backward();
  CHECK_THAT(thrown, Catch::Contains("[backward] another sweep is adding to the gradient of \"") &&
                         Catch::Contains("right now: use grad, which leaves leaves alone"));
  CHECK(fine == "");
  // The refused sweep has added nothing.
  const Net once = nn::clone(net);
  cross_entropy(once(batch(0).x), batch(0).y).backward();
  CHECK(net.hidden.weight.grad().to_vector<float>() == once.hidden.weight.grad().to_vector<float>());
}

TEST_CASE("a graph that another thread is sweeping is refused, and whole afterwards") {
  const Net net = fresh();
  const Tensor hidden = net.hidden(net.words(batch(0).x));
  const Tensor y = net.out(hidden).sum();
  std::string thrown;
  HookHandle hook = hidden.register_hook([&](const Tensor&) {
    std::thread([&] {
      try {
        grad(y, net.out.weight, {.retain_graph = true});
      } catch (const GraphError& e) {
        thrown = e.what();
      }
    }).join();
    return Tensor();
  });
  const Tensor first = grad(y, net.hidden.weight, {.retain_graph = true});
  CHECK_THAT(thrown, Catch::Contains("another sweep is using the entry of") &&
                         Catch::Contains("give each thread a graph of its own"));
  hook.remove();
  CHECK(grad(y, net.hidden.weight).to_vector<float>() == first.to_vector<float>());
}

TEST_CASE("of backwards that collide each adds its whole gradient or throws a GraphError and adds nothing") {
  const Net net = fresh();
  const auto backward = [](const Net& n) { cross_entropy(n(batch(0).x), batch(0).y).backward(); };
  int done[2] = {};
  CHECK(together([&](int k) {
          for (int i = 0; i < 5 * rounds; ++i) {
            try {
              backward(net);
              ++done[k];
            } catch (const GraphError&) {
            }
          }
        }) == "");
  CHECK(done[0] + done[1] > 0);
  const Net alone = nn::clone(net);
  for (int i = 0; i < done[0] + done[1]; ++i) backward(alone);
  const nn::Parameters got = nn::parameters(net), want = nn::parameters(alone);
  for (std::size_t i = 0; i < got.size(); ++i)
    CHECK(got[i].tensor.grad().to_vector<float>() == want[i].tensor.grad().to_vector<float>());
}
