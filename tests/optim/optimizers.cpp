#include <cmath>
#include <type_traits>
#include <xgrad/core/create.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/optim/adam.hpp>
#include <xgrad/optim/clip.hpp>
#include <xgrad/optim/rmsprop.hpp>
#include <xgrad/optim/schedule.hpp>
#include <xgrad/optim/sgd.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;

namespace {

/// Values of both parameters, one row for each of `steps`.
struct Trace {
  const char* name;
  std::vector<std::vector<double>> float64, float32;
};
struct Rates {
  const char* name;
  std::vector<double> lr;
};
#include "tests/optim/traces.inc"

const std::vector<int> trace_steps = {1, 2, 10, 50, 100};

/// The parameters and gradients that make_traces.py describes.
template <class T>
class Problem {
 public:
  Problem() {
    const DType dtype = dtype_of<T>;
    weight = tensor({{-0.5, -0.25, 0.0}, {0.25, 0.5, 0.75}}, {.dtype = dtype, .requires_grad = true});
    bias = tensor({1.0, -2.0, 0.125}, {.dtype = dtype, .requires_grad = true});
  }
  void set_gradients() {
    ++t_;
    for (const Tensor* p : {&weight, &bias}) {
      std::vector<T> g = p->template to_vector<T>();
      for (T& x : g) {
        seed_ = (seed_ * 1103515245 + 12345) % (std::int64_t{1} << 31);
        x = static_cast<T>(0.75) * (x - static_cast<T>(0.25)) +
            static_cast<T>((seed_ >> 8) % 2048 - 1024) / static_cast<T>(1024);
      }
      p->set_grad(p == &bias && t_ % 7 == 3 ? Tensor() : tensor(g, p->shape()));
    }
  }
  std::vector<double> values() const {
    std::vector<double> v = weight.to_vector<double>();
    for (const double x : bias.to_vector<double>()) v.push_back(x);
    return v;
  }

  Tensor weight, bias;

 private:
  std::int64_t seed_ = 1;
  int t_ = 0;
};

template <class T, class O>
void check_trace(const Trace& trace, const typename O::Options& options) {
  const auto& expected = std::is_same_v<T, float> ? trace.float32 : trace.float64;
  const double tolerance = std::is_same_v<T, float> ? 1e-6 : 1e-13;
  Problem<T> problem;
  O optimizer({problem.weight, problem.bias}, options);
  std::size_t row = 0;
  for (int t = 1; t <= 100; ++t) {
    problem.set_gradients();
    optimizer.step();
    if (row == trace_steps.size() || trace_steps[row] != t) continue;
    const std::vector<double> values = problem.values();
    REQUIRE(values.size() == expected[row].size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      CAPTURE(trace.name, t, i);
      CHECK(std::abs(values[i] - expected[row][i]) <= tolerance * std::max(1.0, std::abs(values[i])));
    }
    ++row;
  }
  REQUIRE(row == trace_steps.size());
}

template <class O>
void check_trace(std::string_view name, const typename O::Options& options = {}) {
  for (const Trace& trace : traces) {
    if (trace.name != name) continue;
    check_trace<float, O>(trace, options);
    check_trace<double, O>(trace, options);
    return;
  }
  FAIL("no trace of " << name);
}

Tensor doubles(const std::vector<double>& values) { return tensor(values); }

Tensor parameter(const std::vector<double>& values, DType dtype = float64) {
  return tensor(values, {.dtype = dtype, .requires_grad = true});
}

}  // namespace

TEST_CASE("SGD follows PyTorch's over 100 steps") {
  check_trace<optim::SGD>("sgd", {.lr = 0.1});
  check_trace<optim::SGD>("sgd_weight_decay", {.lr = 0.1, .weight_decay = 0.05});
  check_trace<optim::SGD>("sgd_momentum", {.lr = 0.02, .momentum = 0.9});
  check_trace<optim::SGD>("sgd_dampening",
                          {.lr = 0.05, .momentum = 0.8, .dampening = 0.3, .weight_decay = 0.01});
  check_trace<optim::SGD>("sgd_nesterov", {.lr = 0.02, .momentum = 0.9, .nesterov = true});
}

TEST_CASE("Adam follows PyTorch's over 100 steps") {
  check_trace<optim::Adam>("adam");
  check_trace<optim::Adam>("adam_betas", {.lr = 0.02, .betas = {0.8, 0.95}, .eps = 1e-3});
  check_trace<optim::Adam>("adam_weight_decay", {.lr = 0.02, .weight_decay = 0.1});
  check_trace<optim::Adam>("adam_amsgrad", {.lr = 0.02, .betas = {0.9, 0.9}, .amsgrad = true});
}

TEST_CASE("AdamW follows PyTorch's over 100 steps") {
  check_trace<optim::AdamW>("adamw");
  check_trace<optim::AdamW>("adamw_weight_decay", {.lr = 0.02, .weight_decay = 0.3});
  check_trace<optim::AdamW>("adamw_amsgrad", {.lr = 0.02, .betas = {0.9, 0.9}, .amsgrad = true});
}

TEST_CASE("RMSprop follows PyTorch's over 100 steps") {
  check_trace<optim::RMSprop>("rmsprop");
  check_trace<optim::RMSprop>("rmsprop_momentum", {.lr = 0.002, .alpha = 0.9, .momentum = 0.8});
  check_trace<optim::RMSprop>("rmsprop_centered", {.lr = 0.005, .centered = true, .weight_decay = 0.1});
  check_trace<optim::RMSprop>("rmsprop_centered_momentum", {.lr = 0.002, .momentum = 0.7, .centered = true});
}

TEST_CASE("clipping within the step follows PyTorch's between backward and step") {
  check_trace<optim::SGD>("sgd_clip_norm", {.lr = 0.1, .clip_norm = 0.75});
  check_trace<optim::SGD>("sgd_clip_value", {.lr = 0.1, .clip_value = 0.25});
}

TEST_CASE("Adam follows each of its formulas in float64") {
  const bool eps_hat = GENERATE(false, true);
  const double scale = GENERATE(1.0, 1e-8);  // as large as eps
  const double lr = 1e-2, b1 = 0.9, b2 = 0.999, eps = eps_hat ? 1e-7 : 1e-8;
  const Tensor x = parameter({0.5, -1.5, 2.0});
  optim::Adam adam({x}, {.lr = lr, .eps = eps, .eps_hat = eps_hat});
  std::vector<long double> p = {0.5, -1.5, 2.0}, m(3), v(3);
  for (int t = 1; t <= 200; ++t) {
    std::vector<double> g(3);
    for (std::size_t i = 0; i < 3; ++i) g[i] = scale * (std::sin(t * 0.7 + static_cast<double>(i)) + 0.25);
    x.set_grad(tensor(g));
    adam.step();
    const long double c1 = 1 - std::pow(static_cast<long double>(b1), t);
    const long double c2 = 1 - std::pow(static_cast<long double>(b2), t);
    for (std::size_t i = 0; i < 3; ++i) {
      m[i] = b1 * m[i] + (1 - static_cast<long double>(b1)) * g[i];
      v[i] = b2 * v[i] + (1 - static_cast<long double>(b2)) * g[i] * g[i];
      p[i] -= eps_hat ? lr * std::sqrt(c2) / c1 * m[i] / (std::sqrt(v[i]) + eps)
                      : lr * (m[i] / c1) / (std::sqrt(v[i] / c2) + eps);
      CAPTURE(eps_hat, scale, t, i);
      CHECK(std::abs(x.to_vector<double>()[i] - static_cast<double>(p[i])) <=
            1e-12 * std::abs(static_cast<double>(p[i])));
    }
  }
}

TEST_CASE("the two formulas of Adam differ where gradients are as small as eps") {
  const auto first_step = [](bool eps_hat) {
    const Tensor x = parameter({1.0});
    optim::Adam adam({x}, {.lr = 1, .eps_hat = eps_hat});
    x.set_grad(doubles({1e-8}));
    adam.step();
    return 1 - x.item();
  };
  CHECK(first_step(false) == Approx(0.5));                                          // 1 / (1 + 1)
  CHECK(first_step(true) == Approx(1 / (1 + 1 / std::sqrt(1e-3))).epsilon(1e-10));  // eps / √(1-β₂) = 31.6 g
}

TEST_CASE("powers do not depend on the order in which they are asked for") {
  optim::Power in_order, jumping;
  for (std::int64_t t = 0; t <= 5000; ++t) {
    const double p = in_order(0.999, t);
    CHECK(p == Approx(std::pow(0.999, static_cast<double>(t))).epsilon(1e-13));
    if (t % 97 == 0) {
      jumping(0.9, 5);
      CHECK(jumping(0.999, t) == p);
    }
  }
}

TEST_CASE("a step changes values in place, and a saved value notices") {
  const Tensor x = tensor({3.0}, {.requires_grad = true});
  const auto* data = x.data<float>();
  const std::uint32_t version = x.array().version();
  optim::SGD sgd({x}, {.lr = 0.5});
  x.set_grad(tensor({2.0}));
  sgd.step();
  CHECK(x.data<float>() == data);
  CHECK(x.to_vector<double>() == std::vector<double>{2.0});
  CHECK(x.array().version() != version);
}

TEST_CASE("gradients stay after a step unless it is asked to drop them") {
  const Tensor x = parameter({1.0}), y = parameter({1.0});
  optim::SGD sgd({x, y}, {.lr = 0.5});
  x.set_grad(doubles({1.0}));
  y.set_grad(doubles({1.0}));
  sgd.step();
  CHECK(x.grad().item() == 1);
  sgd.step({.zero_grad = true});
  CHECK_FALSE(x.grad().defined());
  CHECK_FALSE(y.grad().defined());
  CHECK(x.item() == 0);
  y.set_grad(doubles({1.0}));
  sgd.zero_grad();
  CHECK_FALSE(y.grad().defined());
}

TEST_CASE("a parameter without a gradient, or frozen, is left alone") {
  const Tensor x = parameter({1.0}), frozen = parameter({1.0}), y = parameter({1.0});
  optim::AdamW adam({x, frozen, y});
  frozen.set_grad(doubles({1.0}));
  frozen.set_requires_grad(false);
  y.set_grad(doubles({1.0}));
  adam.step();
  CHECK(x.item() == 1);
  CHECK(frozen.item() == 1);
  CHECK(y.item() != 1);
  CHECK(find(adam.state_dict(), "0.step")->item() == 0);
  CHECK(find(adam.state_dict(), "2.step")->item() == 1);
}

TEST_CASE("a gradient in any layout moves the elements that it belongs to") {
  const std::vector<double> rows = {1, 2, 3, 4, 5, 6};
  const Tensor x = tensor(std::vector<double>(6, 0.0), {2, 3}, {.requires_grad = true});
  optim::SGD sgd({x}, {.lr = 1});
  const Array columns = Array::from<double>(std::vector<double>{1, 4, 2, 5, 3, 6}, {3, 2}).transpose(0, 1);
  x.set_grad(Tensor(columns));
  sgd.step();
  CHECK(x.to_vector<double>() == std::vector<double>{-1, -2, -3, -4, -5, -6});
  x.set_grad(Tensor(Array::scalar(1.0).broadcast_to({2, 3})));
  sgd.step();
  CHECK(x.to_vector<double>() == std::vector<double>{-2, -3, -4, -5, -6, -7});

  // A parameter may lie in memory column by column too; its state then does the same.
  const Tensor z = Tensor(Array::from<double>(rows, {3, 2}).transpose(0, 1).copy());
  z.set_requires_grad(true);
  optim::SGD heavy({z}, {.lr = 1, .momentum = 0.5});
  z.set_grad(tensor(rows, {2, 3}));
  heavy.step();
  CHECK(z.to_vector<double>() == std::vector<double>{0, 1, 2, -2, -1, 0});
  CHECK(find(heavy.state_dict(), "0.momentum_buffer")->to_vector<double>() == rows);
}

TEST_CASE("a tied parameter is stepped once") {
  const Tensor x = parameter({1.0});
  x.set_grad(doubles({1.0}));
  optim::SGD sgd({x, x}, {.lr = 0.25});
  sgd.step();
  CHECK(x.item() == 0.75);
}

TEST_CASE("an empty parameter and one of each dtype may stand in one list") {
  const Tensor x = parameter({1.0}), y = parameter({1.0}, float32),
               none = zeros({0, 3}, {.requires_grad = true});
  for (const Tensor& t : {x, y}) t.set_grad(ones_like(t));
  none.set_grad(zeros({0, 3}));
  optim::Adam adam({x, none, y}, {.lr = 0.5});
  adam.step();
  CHECK(x.item() == Approx(0.5));
  CHECK(y.item() == Approx(0.5));
}

TEST_CASE("a NaN in a gradient reaches the parameter through every clip") {
  const Tensor x = parameter({1.0, 1.0});
  optim::SGD sgd({x}, {.clip_value = 1});
  x.set_grad(doubles({NAN, 1.0}));
  sgd.step();
  CHECK(std::isnan(x.to_vector<double>()[0]));
  CHECK_FALSE(std::isnan(x.to_vector<double>()[1]));
  x.set_grad(doubles({NAN, 1.0}));
  optim::clip_grad_value({x}, 0.5);
  CHECK(std::isnan(x.grad().to_vector<double>()[0]));
  CHECK(x.grad().to_vector<double>()[1] == 0.5);
}

TEST_CASE("clip_grad_norm scales all gradients together and returns the norm before") {
  const Tensor x = parameter({0.0, 0.0}), y = parameter({0.0}, float32), unused = parameter({0.0});
  x.set_grad(doubles({3.0, 0.0}));
  y.set_grad(tensor({4.0}));
  CHECK(optim::clip_grad_norm({x, y, unused, x}, 10) == 5);
  CHECK(x.grad().to_vector<double>() == std::vector<double>{3, 0});
  CHECK(optim::clip_grad_norm({x, y, unused, x}, 1) == 5);
  CHECK(x.grad().to_vector<double>()[0] == Approx(0.6).epsilon(1e-6));
  CHECK(y.grad().item() == Approx(0.8).epsilon(1e-6));
  CHECK_FALSE(unused.grad().defined());
}
