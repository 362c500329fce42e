#pragma once
#include <cmath>
#include <string_view>

#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/linalg.hpp>

/// The activations whose derivative follows from their value, which a product may therefore end with:
/// `value(x)` and `gradient(dy, y)` on packs, `vjp(dy, y)` on the tape.
namespace xgrad::inline v0::detail {

struct ReluRule {
  static constexpr std::string_view name = "relu", linear = "linear_relu";
  static constexpr auto value = [](auto x) { return relu(x); };
  static constexpr auto gradient = [](auto d, auto y) { return select(y > 0, d, decltype(d)(0)); };
  static long double reference(long double x) { return x < 0 ? 0 : x; }
  static Tensor vjp(const Tensor& dy, const Tensor& y) { return where(y > 0, dy, 0.0); }
};
struct SigmoidRule {
  static constexpr std::string_view name = "sigmoid", linear = "linear_sigmoid";
  static constexpr auto value = [](auto x) { return sigmoid(x); };
  static constexpr auto gradient = [](auto d, auto y) { return d * (y * (1 - y)); };
  static long double reference(long double x) { return 1 / (1 + std::exp(-x)); }
  static Tensor vjp(const Tensor& dy, const Tensor& y) { return dy * (y * (1 - y)); }
};
struct TanhRule {
  static constexpr std::string_view name = "tanh", linear = "linear_tanh";
  static constexpr auto value = [](auto x) { return tanh(x); };
  static constexpr auto gradient = [](auto d, auto y) { return d * (1 - y * y); };
  static long double reference(long double x) { return std::tanh(x); }
  static Tensor vjp(const Tensor& dy, const Tensor& y) { return dy * (1 - square(y)); }
};

/// f(the rule of `activation`, which is not `none`).
template <class F>
auto with_rule(Activation activation, F&& f) {
  switch (activation) {
    case Activation::relu:
      return f(ReluRule());
    case Activation::sigmoid:
      return f(SigmoidRule());
    default:
      return f(TanhRule());
  }
}

/// If y is the fresh result of `linear`, and nobody but the caller holds it: applies `activation` in y's
/// memory, as a part of that operation, and says so. Otherwise nothing happens.
bool end_with(Tensor& y, Activation activation);

}  // namespace xgrad::inline v0::detail
