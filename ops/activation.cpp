#include <fmt/core.h>

#include <cmath>
#include <numbers>
#include <xgrad/core/map.hpp>
#include <xgrad/core/op.hpp>
#include <xgrad/core/require.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/activation_rules.hpp>
#include <xgrad/ops/elementwise.hpp>

namespace xgrad::inline v0 {
namespace {

using detail::ReluRule;
using detail::SigmoidRule;

// Each of these is one lambda on packs for the value; where the rule would need several passes over memory,
// an unrecorded sweep runs the same lambda on dual numbers (map_gradient).

/// max(x, -10⁴), NaN stays NaN: for functions that are 0 long before, but x times a factor of 0 at -inf.
constexpr auto bounded_below = [](auto x) XGRAD_SIMD_LAMBDA { return max(decltype(x)(-1e4), x); };

long double soft(long double x) { return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))); }

/// 1 / (1 + e⁻ˣ).   ∂ = σ (1 - σ)
struct Sigmoid {
  static constexpr std::string_view name = "sigmoid";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-3, 3)}; }
  static long double reference(long double x) { return SigmoidRule::reference(x); }
  Array forward(const Array& x) const { return map_floating(name, SigmoidRule::value, x); }
  Tensor vjp(const Tensor& dy, Output y) const { return SigmoidRule::vjp(dy, y); }
  Array vjp_kernel(Array dy, Output y) const {
    return map_in_place(name, SigmoidRule::gradient, std::move(dy), y.array());
  }
};

/// ln σ(x).   ∂ = σ(-x)
struct LogSigmoid {
  static constexpr std::string_view name = "log_sigmoid";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-3, 3)}; }
  static long double reference(long double x) { return -soft(-x); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return log_sigmoid(v); }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return dy * sigmoid(-x); }
  Array vjp_kernel(const Array& dy, const Array& x) const {
    return map_floating(
        name, [](auto d, auto v) { return d * sigmoid(-v); }, dy, x);
  }
};

/// max(x, 0).   ∂ = 1 for x > 0, else 0
struct Relu {
  static constexpr std::string_view name = "relu";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-3, 3).avoiding({0})}; }
  static long double reference(long double x) { return ReluRule::reference(x); }
  Array forward(const Array& x) const { return map_numeric(name, ReluRule::value, x); }
  Tensor vjp(const Tensor& dy, Output y) const { return ReluRule::vjp(dy, y); }
  Array vjp_kernel(Array dy, Output y) const {
    return map_in_place(name, ReluRule::gradient, std::move(dy), y.array());
  }
};

/// x for x > 0, else slope · x.   ∂ = 1 for x > 0, else slope
struct LeakyRelu {
  static constexpr std::string_view name = "leaky_relu";
  static std::vector<Sample> samples() {
    return {sample(LeakyRelu{0.1}, {3, 4}).within(-3, 3).avoiding({0})};
  }
  long double reference(long double x) const { return x > 0 ? x : slope * x; }
  auto value() const {
    return [a = slope](auto v) { return select(v > 0, v, a * v); };
  }
  Array forward(const Array& x) const { return map_floating(name, value(), x); }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return where(x > 0, dy, slope * dy); }
  Array vjp_kernel(const Array& dy, const Array& x) const { return map_gradient(value(), dy, x)[0]; }

  double slope = 0.01;
};

/// x for x > 0, else α (eˣ - 1).   ∂ = 1 for x > 0, else α eˣ
struct Elu {
  static constexpr std::string_view name = "elu";
  static std::vector<Sample> samples() { return {sample(Elu{1.3}, {3, 4}).within(-3, 3).avoiding({0})}; }
  long double reference(long double x) const { return x > 0 ? x : alpha * std::expm1(x); }
  auto value() const {
    return [a = alpha](auto v) { return select(v > 0, v, a * expm1(v)); };
  }
  Array forward(const Array& x) const { return map_floating(name, value(), x); }
  Tensor vjp(const Tensor& dy, const Tensor& x) const {
    return where(x > 0, dy, dy * (alpha * exp(minimum(x, 0.0))));
  }
  Array vjp_kernel(const Array& dy, const Array& x) const { return map_gradient(value(), dy, x)[0]; }

  double alpha = 1.0;
};

constexpr double selu_scale = 1.0507009873554804934193349852946;
constexpr double selu_alpha = 1.6732632423543772848170429916717;

/// scale · elu(x, alpha).   ∂ = scale for x > 0, else scale · alpha eˣ
struct Selu {
  static constexpr std::string_view name = "selu";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-3, 3).avoiding({0})}; }
  static long double reference(long double x) {
    return selu_scale * (x > 0 ? x : static_cast<long double>(selu_alpha) * std::expm1(x));
  }
  Array forward(const Array& x) const { return map_floating(name, value, x); }
  Tensor vjp(const Tensor& dy, const Tensor& x) const {
    return dy * where(x > 0, selu_scale, (selu_scale * selu_alpha) * exp(minimum(x, 0.0)));
  }
  Array vjp_kernel(const Array& dy, const Array& x) const { return map_gradient(value, dy, x)[0]; }

  static constexpr auto value = [](auto v) {
    return select(v > 0, selu_scale * v, (selu_scale * selu_alpha) * expm1(v));
  };
};

/// x for x > 0, else α (e^(x/α) - 1).   ∂ = 1 for x > 0, else e^(x/α)
struct Celu {
  static constexpr std::string_view name = "celu";
  static std::vector<Sample> samples() { return {sample(Celu{1.3}, {3, 4}).within(-3, 3).avoiding({0})}; }
  long double reference(long double x) const { return x > 0 ? x : alpha * std::expm1(x / alpha); }
  auto value() const {
    return [a = alpha](auto v) { return select(v > 0, v, a * expm1(v / a)); };
  }
  Array forward(const Array& x) const { return map_floating(name, value(), x); }
  Tensor vjp(const Tensor& dy, const Tensor& x) const {
    return where(x > 0, dy, dy * exp(minimum(x, 0.0) / alpha));
  }
  Array vjp_kernel(const Array& dy, const Array& x) const { return map_gradient(value(), dy, x)[0]; }

  double alpha = 1.0;
};

/// x σ(x).   ∂ = σ (1 + x (1 - σ))
struct Silu {
  static constexpr std::string_view name = "silu";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-3, 3)}; }
  static long double reference(long double x) { return x * SigmoidRule::reference(x); }
  Array forward(const Array& x) const { return map_floating(name, value, x); }
  Tensor vjp(const Tensor& dy, const Tensor& x) const {
    const Tensor s = sigmoid(x);
    return dy * (s * (1 + x * (1 - s)));
  }
  Array vjp_kernel(const Array& dy, const Array& x) const { return map_gradient(value, dy, x)[0]; }

  static constexpr auto value = [](auto v) { return silu(v); };
};

/// x t, t = tanh(softplus(x)).   ∂ = t + x (1 - t²) σ
struct Mish {
  static constexpr std::string_view name = "mish";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-3, 3)}; }
  static long double reference(long double x) { return x * std::tanh(soft(x)); }
  Array forward(const Array& x) const { return map_floating(name, value, x); }
  Tensor vjp(const Tensor& dy, const Tensor& x) const {
    const Tensor t = tanh(softplus(x));
    return dy * (t + x * (1 - square(t)) * sigmoid(x));
  }
  Array vjp_kernel(const Array& dy, const Array& x) const { return map_gradient(value, dy, x)[0]; }

  static constexpr auto value = [](auto v) {
    const auto x = bounded_below(v);
    return x * tanh(softplus(x));
  };
};

/// ln(1 + e^(βx)) / β.   ∂ = σ(βx)
struct Softplus {
  static constexpr std::string_view name = "softplus";
  static std::vector<Sample> samples() {
    return {sample(Softplus{}, {3, 4}).within(-3, 3), sample(Softplus{2.5}, {3, 4}).within(-3, 3)};
  }
  long double reference(long double x) const { return soft(beta * x) / beta; }
  Array forward(const Array& x) const {
    if (beta == 1) {
      return map_floating(
          name, [](auto v) { return softplus(v); }, x);
    }
    return map_floating(
        name,
        [b = beta]<class T, int W>(const simd::Pack<T, W>& v) { return softplus(v, static_cast<T>(b)); }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return dy * sigmoid(beta * x); }
  Array vjp_kernel(const Array& dy, const Array& x) const {
    return map_floating(
        name, [b = beta](auto d, auto v) { return d * sigmoid(b * v); }, dy, x);
  }

  double beta = 1.0;
};

/// x / (1 + |x|).   ∂ = 1 / (1 + |x|)²
struct Softsign {
  static constexpr std::string_view name = "softsign";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-3, 3).avoiding({0})}; }
  static long double reference(long double x) { return x / (1 + std::fabs(x)); }
  Array forward(const Array& x) const { return map_floating(name, value, x); }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return dy / square(1 + abs(x)); }
  Array vjp_kernel(const Array& dy, const Array& x) const { return map_gradient(value, dy, x)[0]; }

  /// From 1e30 on it is ±1, also at infinity.
  static constexpr auto value = [](auto v) {
    using P = decltype(v);
    const P x = max(P(-1e30), min(P(1e30), v));
    return x / (1 + abs(x));
  };
};

/// x limited to [low, high].   ∂ = 1 strictly inside, else 0
struct Hardtanh {
  static constexpr std::string_view name = "hardtanh";
  static std::vector<Sample> samples() {
    return {sample(Hardtanh{}, {3, 4}).within(-3, 3).avoiding({-1, 1}),
            sample(Hardtanh{-0.5, 2}, {3, 4}).within(-3, 3).avoiding({-0.5, 2})};
  }
  long double reference(long double x) const {
    return x < low ? static_cast<long double>(low) : x > high ? static_cast<long double>(high) : x;
  }
  Array forward(const Array& x) const {
    return map_floating(
        name,
        [a = low, b = high](auto v) {
          return select(v < a, decltype(v)(a), select(v > b, decltype(v)(b), v));
        },
        x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const {
    return where(logical_and(x > low, x < high), dy, 0.0);
  }

  double low = -1.0, high = 1.0;
};

/// clip((x + 3) / 6, 0, 1).   ∂ = 1/6 for -3 < x < 3, else 0
struct Hardsigmoid {
  static constexpr std::string_view name = "hardsigmoid";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-5, 5).avoiding({-3, 3})}; }
  static long double reference(long double x) { return std::fmin(std::fmax((x + 3) / 6, 0), 1); }
  Array forward(const Array& x) const {
    return map_floating(
        name,
        [](auto v) { return select(v <= -3, decltype(v)(0), select(v >= 3, decltype(v)(1), (v + 3) / 6)); },
        x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const {
    return where(logical_and(x > -3.0, x < 3.0), dy / 6, 0.0);
  }
};

/// x · hardsigmoid(x).   ∂ = 0 below -3, (2x + 3) / 6 between, 1 above 3
struct Hardswish {
  static constexpr std::string_view name = "hardswish";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-5, 5).avoiding({-3, 3})}; }
  static long double reference(long double x) { return x * std::fmin(std::fmax((x + 3) / 6, 0), 1); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return select(v <= -3, decltype(v)(0), select(v >= 3, v, v * (v + 3) / 6)); }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const {
    return where(x <= -3.0, 0.0, where(x >= 3.0, dy, dy * ((2 * x + 3) / 6)));
  }
};

/// x Φ(x).   ∂ = Φ(x) + x φ(x)
struct GeluErf {
  static constexpr std::string_view name = "gelu";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-3, 3)}; }
  static long double reference(long double x) {
    return x / 2 * (1 + std::erf(x / std::numbers::sqrt2_v<long double>));
  }
  Array forward(const Array& x) const { return map_floating(name, value, x); }
  Tensor vjp(const Tensor& dy, const Tensor& x) const {
    const Tensor density = (std::numbers::inv_sqrtpi / std::numbers::sqrt2) * exp(-0.5 * square(x));
    return dy * (0.5 * (1 + erf(x / std::numbers::sqrt2)) + x * density);
  }
  Array vjp_kernel(const Array& dy, const Array& x) const { return map_gradient(value, dy, x)[0]; }

  static constexpr auto value = [](auto v) {
    const auto x = bounded_below(v);
    return (0.5 * x) * (1 + erf(x * (1 / std::numbers::sqrt2)));
  };
};

constexpr double root_two_over_pi = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;

/// x/2 (1 + tanh u), u = √(2/π) (x + 0.044715 x³).   ∂ = (1 + t)/2 + x/2 (1 - t²) u'
struct GeluTanh {
  static constexpr std::string_view name = "gelu_tanh";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-3, 3)}; }
  static long double reference(long double x) {
    return x / 2 * (1 + std::tanh(static_cast<long double>(root_two_over_pi) * (x + 0.044715L * x * x * x)));
  }
  Array forward(const Array& x) const { return map_floating(name, value, x); }
  Tensor vjp(const Tensor& dy, const Tensor& x) const {
    const Tensor t = tanh(root_two_over_pi * (x + 0.044715 * (x * x * x)));
    const Tensor slope = root_two_over_pi * (1 + (3 * 0.044715) * square(x));
    return dy * (0.5 * (1 + t) + 0.5 * x * (1 - square(t)) * slope);
  }
  Array vjp_kernel(const Array& dy, const Array& x) const { return map_gradient(value, dy, x)[0]; }

  static constexpr auto value = [](auto v) {
    const auto x = bounded_below(v);
    return (0.5 * x) * (1 + tanh(root_two_over_pi * (x + 0.044715 * (x * x * x))));
  };
};

void require_nonzero(std::string_view op, std::string_view what, double v) {
  detail::require_finite(op, what, v);
  if (v == 0)
    throw ValueError(op, fmt::format("{} is 0, by which it divides: give a number that is not 0", what));
}

}  // namespace

Tensor sigmoid(Tensor x) {
  if (detail::end_with(x, Activation::sigmoid)) return x;
  return record(Sigmoid{}, x);
}
Tensor log_sigmoid(const Tensor& x) { return record(LogSigmoid{}, x); }
Tensor relu(Tensor x) {
  if (detail::end_with(x, Activation::relu)) return x;
  return record(Relu{}, x);
}
Tensor leaky_relu(const Tensor& x, double negative_slope) {
  detail::require_finite("leaky_relu", "negative_slope", negative_slope);
  return record(LeakyRelu{negative_slope}, x);
}
Tensor elu(const Tensor& x, double alpha) {
  detail::require_finite("elu", "alpha", alpha);
  return record(Elu{alpha}, x);
}
Tensor selu(const Tensor& x) { return record(Selu{}, x); }
Tensor celu(const Tensor& x, double alpha) {
  require_nonzero("celu", "alpha", alpha);
  return record(Celu{alpha}, x);
}
Tensor silu(const Tensor& x) { return record(Silu{}, x); }
Tensor mish(const Tensor& x) { return record(Mish{}, x); }
Tensor softplus(const Tensor& x, double beta) {
  require_nonzero("softplus", "beta", beta);
  return record(Softplus{beta}, x);
}
Tensor softsign(const Tensor& x) { return record(Softsign{}, x); }
Tensor hardtanh(const Tensor& x, double low, double high) {
  if (!(low <= high))
    throw ValueError("hardtanh",
                     fmt::format("limits {} and {}: low must be at most high, and neither NaN: {}", low, high,
                                 low > high ? "swap them" : "give two numbers"));
  return record(Hardtanh{low, high}, x);
}
Tensor hardsigmoid(const Tensor& x) { return record(Hardsigmoid{}, x); }
Tensor hardswish(const Tensor& x) { return record(Hardswish{}, x); }
Tensor gelu(const Tensor& x, GeluForm form) {
  return form == GeluForm::erf ? record(GeluErf{}, x) : record(GeluTanh{}, x);
}

}  // namespace xgrad::inline v0
