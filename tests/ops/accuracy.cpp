#include <bit>
#include <cstdio>
#include <cstring>
#include <functional>
#include <mutex>
#include <numbers>
#include <string>
#include <vector>

#include <xgrad/core/create.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/kernels/parallel.hpp>

#include "tests/support/levels.hpp"
#include "tests/support/ulp.hpp"

// The elementwise ops, tensor in and tensor out, against the C library in long double: at every level of
// vector instructions that the CPU has, for float32 and float64. `make slow` takes every float.

using namespace xgrad;
using test::Real;
using test::Worst;

namespace {

/// An op of one tensor, the same in long double and in double, and how many ulp it may be off: of its value,
/// or of the larger of |x| and |y|.
struct Unary {
  const char* name;
  Tensor (*op)(const Tensor&);
  Real (*exact)(Real);
  double (*exact_double)(double);  // to 2^-29 ulp of a float, and faster
  double bound;
  bool of_larger = false;
};
template <class E>
Unary unary(const char* name, Tensor (*op)(const Tensor&), E exact, double bound, bool of_larger = false) {
  return {name, op, exact, exact, bound, of_larger};
}
#define XGRAD_AS_IN_C(name, bound) \
  unary(                           \
      #name, name,                 \
      [](auto x) {                 \
        using std::name;           \
        return name(x);            \
      },                           \
      bound)

/// The definition of an activation at -inf is 0 · inf; its value is the limit.
template <class R, class F>
R or_limit(R x, R limit, F f) {
  return x == -std::numeric_limits<R>::infinity() ? limit : f(x);
}
template <class R>
R logistic(R x) {
  const R e = std::exp(-std::abs(x));
  return (x < 0 ? e : 1) / (1 + e);
}
template <class R>
R soft(R x) {
  return std::max(x, R(0)) + std::log1p(std::exp(-std::abs(x)));
}
template <class R>
R softplus_of(R x, R beta) {
  return std::isnan(x) ? x : soft(beta * x) / beta;
}
template <class R>
R limited(R x, R low, R high) {
  return x < low ? low : x > high ? high : x;
}
constexpr double selu_scale = 1.0507009873554804934193349852946,
                 selu_alpha = 1.6732632423543772848170429916717;

/// Exact results first, then what rounds once, then the rest.
const std::vector<Unary>& unaries() {
  static const std::vector<Unary> all = {
      unary(
          "neg", neg, [](auto x) { return -x; }, 0),
      XGRAD_AS_IN_C(abs, 0),
      unary(
          "sign", sign, [](auto x) { return x > 0   ? decltype(x)(1)
                                            : x < 0 ? decltype(x)(-1)
                                                    : x; }, 0),
      XGRAD_AS_IN_C(floor, 0),
      XGRAD_AS_IN_C(ceil, 0),
      unary(
          "round", round, [](auto x) { return std::nearbyint(x); }, 0),
      unary(
          "relu", [](const Tensor& x) { return relu(x); }, [](auto x) { return x < 0 ? decltype(x)(0) : x; },
          0),
      unary(
          "clip", [](const Tensor& x) { return clip(x, -0.5, 2); },
          [](auto x) { return limited(x, decltype(x)(-0.5), decltype(x)(2)); }, 0),
      unary(
          "hardtanh", [](const Tensor& x) { return hardtanh(x); },
          [](auto x) { return limited(x, decltype(x)(-1), decltype(x)(1)); }, 0),
      XGRAD_AS_IN_C(sqrt, 0.5),
      unary(
          "square", square, [](auto x) { return x * x; }, 0.5),
      unary(
          "reciprocal", reciprocal, [](auto x) { return 1 / x; }, 0.5),
      XGRAD_AS_IN_C(exp, 2),
      XGRAD_AS_IN_C(log, 2),
      unary(
          "tanh", [](const Tensor& x) { return tanh(x); }, [](auto x) { return std::tanh(x); }, 2),
      unary(
          "sigmoid", [](const Tensor& x) { return sigmoid(x); }, [](auto x) { return logistic(x); }, 2),
      XGRAD_AS_IN_C(erf, 2),
      unary(
          "pow_2.5", [](const Tensor& x) { return pow(x, 2.5); },
          [](auto x) { return std::pow(x, decltype(x)(2.5)); }, 2),
      XGRAD_AS_IN_C(expm1, 4),
      XGRAD_AS_IN_C(log1p, 4),
      XGRAD_AS_IN_C(log2, 4),
      XGRAD_AS_IN_C(log10, 4),
      unary(
          "rsqrt", rsqrt, [](auto x) { return 1 / std::sqrt(x); }, 4),
      XGRAD_AS_IN_C(sin, 4),
      XGRAD_AS_IN_C(cos, 4),
      XGRAD_AS_IN_C(tan, 4),
      XGRAD_AS_IN_C(asin, 4),
      XGRAD_AS_IN_C(acos, 4),
      XGRAD_AS_IN_C(atan, 4),
      XGRAD_AS_IN_C(sinh, 4),
      XGRAD_AS_IN_C(cosh, 4),
      XGRAD_AS_IN_C(asinh, 4),
      XGRAD_AS_IN_C(acosh, 4),
      XGRAD_AS_IN_C(atanh, 4),
      XGRAD_AS_IN_C(erfc, 4),
      unary(
          "log_sigmoid", log_sigmoid, [](auto x) { return std::isnan(x) ? x : -soft(-x); }, 4),
      unary(
          "softplus", [](const Tensor& x) { return softplus(x); },
          [](auto x) { return softplus_of(x, decltype(x)(1)); }, 4),
      unary(
          "softplus_2.5", [](const Tensor& x) { return softplus(x, 2.5); },
          [](auto x) { return softplus_of(x, decltype(x)(2.5)); }, 4),
      unary(
          "leaky_relu", [](const Tensor& x) { return leaky_relu(x); },
          [](auto x) { return x > 0 ? x : decltype(x)(0.01) * x; }, 4),
      unary(
          "elu", [](const Tensor& x) { return elu(x); }, [](auto x) { return x > 0 ? x : std::expm1(x); }, 4),
      unary(
          "selu", selu,
          [](auto x) {
            using R = decltype(x);
            return x > 0 ? R(selu_scale) * x : R(selu_scale) * R(selu_alpha) * std::expm1(x);
          },
          4),
      unary(
          "celu", [](const Tensor& x) { return celu(x); }, [](auto x) { return x > 0 ? x : std::expm1(x); },
          4),
      unary(
          "celu_1.5", [](const Tensor& x) { return celu(x, 1.5); },
          [](auto x) {
            const decltype(x) alpha(1.5);
            return x > 0 ? x : alpha * std::expm1(x / alpha);
          },
          4),
      unary(
          "silu", silu,
          [](auto x) { return or_limit(x, decltype(x)(0), [](auto v) { return v * logistic(v); }); }, 4),
      unary(
          "mish", mish,
          [](auto x) {
            return or_limit(x, decltype(x)(0),
                            [](auto v) { return std::isnan(v) ? v : v * std::tanh(soft(v)); });
          },
          4, true),
      unary(
          "softsign", softsign,
          [](auto x) { return std::isinf(x) ? std::copysign(decltype(x)(1), x) : x / (1 + std::abs(x)); }, 4),
      unary(
          "hardsigmoid", hardsigmoid,
          [](auto x) { return limited((x + 3) / 6, decltype(x)(0), decltype(x)(1)); }, 4),
      unary(
          "hardswish", hardswish,
          [](auto x) {
            using R = decltype(x);
            return x <= -3 ? R(0) : x >= 3 ? x : x * ((x + 3) / 6);
          },
          4),
      unary(
          "gelu", [](const Tensor& x) { return gelu(x); },
          [](auto x) {
            return or_limit(x, decltype(x)(0), [](auto v) {
              return v / 2 * std::erfc(-v / std::numbers::sqrt2_v<decltype(v)>);
            });
          },
          4, true),
      unary(
          "gelu_tanh", [](const Tensor& x) { return gelu(x, GeluForm::tanh); },
          [](auto x) {
            return or_limit(x, decltype(x)(0), [](auto v) {
              using R = decltype(v);
              const R root = std::numbers::sqrt2_v<R> * std::numbers::inv_sqrtpi_v<R>;
              return v / 2 * (1 + std::tanh(root * (v + R(0.044715L) * v * v * v)));
            });
          },
          4, true),
  };
  return all;
}

template <class T>
Tensor tensor_of(const std::vector<T>& x) {
  return Tensor(Array::from<T>(x, {static_cast<std::int64_t>(x.size())}));
}

/// Whether |y - want| is at most `error` ulp of a float: what `test::ulps` says, but in a few instructions.
/// It may say no of what is not finite or not certain, and then the other has to be asked.
inline bool surely_within(float y, double want, double scale, double error) {
  const auto bits = std::bit_cast<std::uint64_t>(std::max(std::abs(want), std::abs(scale)));
  const double power = std::bit_cast<double>(bits & 0x7FF0000000000000);  // of two, not above the larger
  return std::isfinite(power) &&
         std::abs(static_cast<double>(y) - want) * 0x1p23 <= error * std::max(power, 0x1p-126);
}

/// The worst errors of an op, and at which argument, so far. A zero of the wrong sign is an error of one ulp,
/// at arguments that are zero.
template <class T, class R>
void compare(const Unary& f, const T* x, const T* y, const R* want, std::int64_t n, Worst<T>& worst) {
  for (std::int64_t i = 0; i < n; ++i) {
    const Real w = static_cast<Real>(want[i]);
    if (y[i] == static_cast<T>(want[i])) {
      if (x[i] == 0 && w == 0 && std::signbit(y[i]) != std::signbit(w)) worst.see(x[i], y[i], 1);
      if (f.bound == 0 || w == 0) continue;
    }
    if constexpr (std::is_same_v<R, double>) {
      if (surely_within(y[i], want[i], f.of_larger ? x[i] : 0, static_cast<double>(worst.error))) continue;
      if (std::isnan(y[i]) && std::isnan(want[i])) continue;
    }
    worst.see(x[i], y[i], test::ulps(y[i], w, f.of_larger ? static_cast<Real>(x[i]) : 0));
  }
}

template <class T>
void report(const Unary& f, kernels::Level level, const Worst<T>& worst) {
  std::printf("%-14s %s %s %.3Lf ulp at %.9Lg\n", f.name, dtype_of<T> == float32 ? "float32" : "float64",
              kernels::name(level), worst.error, static_cast<Real>(worst.at));
  CAPTURE(f.name, kernels::name(level), sizeof(T), worst.at, worst.got, f.exact(static_cast<Real>(worst.at)),
          worst.error);
  CHECK(worst.error <= f.bound);
}

}  // namespace

TEMPLATE_TEST_CASE("elementwise ops of one tensor are within their bounds, over every exponent", "", float,
                   double) {
  const bool single = sizeof(TestType) == 4;
  const std::vector<TestType> x = test::sample_numbers<TestType>(single ? 150 : 12, 20000);
  const Tensor in = tensor_of(x);
  test::LevelGuard guard;
  for (const Unary& f : unaries()) {
    std::vector<Real> want;
    for (const TestType v : x) want.push_back(f.exact(static_cast<Real>(v)));
    for (const kernels::Level level : test::levels()) {
      guard.set(level);
      const Tensor y = f.op(in);
      Worst<TestType> worst;
      compare(f, x.data(), y.data<TestType>(), want.data(), in.numel(), worst);
      report(f, level, worst);
    }
  }
}

TEST_CASE("the quick comparison for every float finds the errors that long double finds") {
  std::vector<float> x = test::sample_numbers<float>(20, 2000), y;
  std::vector<double> want;
  std::vector<Real> exact;
  std::mt19937_64 random(5);
  std::uniform_real_distribution<float> relative(-4, 4);
  for (const float v : x) {
    want.push_back(std::cbrt(static_cast<double>(v)));
    exact.push_back(static_cast<Real>(want.back()));
    y.push_back(static_cast<float>(want.back()) * (1 + relative(random) * 0x1p-24F));
  }
  const auto n = static_cast<std::int64_t>(x.size());
  for (const bool of_larger : {false, true}) {
    Unary f = unaries().back();
    f.of_larger = of_larger;
    // Each prefix has a worst element of its own.
    for (std::int64_t count = n; count > 100; count = count * 3 / 4) {
      Worst<float> quick, slow;
      compare(f, x.data(), y.data(), want.data(), count, quick);
      compare(f, x.data(), y.data(), exact.data(), count, slow);
      CAPTURE(of_larger, count);
      CHECK(slow.error > 0);
      CHECK(quick.error == slow.error);
      CHECK(quick.at == slow.at);
    }
  }
}

TEST_CASE("elementwise ops of one float are within their bounds for every float", "[.][exhaustive]") {
  constexpr std::int64_t block = 1 << 22;
  std::vector<float> x(block);
  std::vector<double> want(block);
  test::LevelGuard guard;
  const std::vector<kernels::Level>& levels = test::levels();
  for (const Unary& f : unaries()) {
    DYNAMIC_SECTION(f.name) {
      std::vector<Worst<float>> worst(levels.size());
      std::mutex merging;
      for (std::int64_t begin = 0; begin < std::int64_t{1} << 32; begin += block) {
        kernels::parallel_for(block, 1 << 15, [&](std::int64_t b, std::int64_t e) {
          for (std::int64_t i = b; i < e; ++i) {
            const auto k = static_cast<std::size_t>(i);
            const auto bits = static_cast<std::uint32_t>(begin + i);
            std::memcpy(&x[k], &bits, sizeof bits);
            want[k] = f.exact_double(static_cast<double>(x[k]));
          }
        });
        const Tensor in = tensor_of(x);
        for (std::size_t l = 0; l < levels.size(); ++l) {
          guard.set(levels[l]);
          const Tensor out = f.op(in);
          const float* y = out.data<float>();
          kernels::parallel_for(block, 1 << 15, [&](std::int64_t b, std::int64_t e) {
            Worst<float> here = [&] {
              const std::lock_guard lock(merging);
              return worst[l];
            }();
            compare(f, x.data() + b, y + b, want.data() + b, e - b, here);
            const std::lock_guard lock(merging);
            worst[l].see(here.at, here.got, here.error);
          });
        }
      }
      for (std::size_t l = 0; l < levels.size(); ++l) report(f, levels[l], worst[l]);
      std::fflush(stdout);
    }
  }
}

namespace {

struct Binary {
  const char* name;
  Tensor (*op)(const Tensor&, const Tensor&);
  Real (*exact)(Real, Real);
  double bound;
};

const Binary binaries[] = {
    {"add", [](const Tensor& a, const Tensor& b) { return a + b; }, [](Real a, Real b) { return a + b; },
     0.5},
    {"sub", [](const Tensor& a, const Tensor& b) { return a - b; }, [](Real a, Real b) { return a - b; },
     0.5},
    {"mul", [](const Tensor& a, const Tensor& b) { return a * b; }, [](Real a, Real b) { return a * b; },
     0.5},
    {"div", [](const Tensor& a, const Tensor& b) { return a / b; }, [](Real a, Real b) { return a / b; },
     0.5},
    {"pow", [](const Tensor& a, const Tensor& b) { return pow(a, b); },
     [](Real a, Real b) { return std::pow(a, b); }, 2},
    {"atan2", [](const Tensor& a, const Tensor& b) { return atan2(a, b); },
     [](Real a, Real b) { return std::atan2(a, b); }, 4},
    {"fmod", [](const Tensor& a, const Tensor& b) { return fmod(a, b); },
     [](Real a, Real b) { return std::fmod(a, b); }, 0},
    {"maximum", [](const Tensor& a, const Tensor& b) { return maximum(a, b); },
     [](Real a, Real b) { return std::isnan(a) || a > b ? a : b; }, 0},
    {"minimum", [](const Tensor& a, const Tensor& b) { return minimum(a, b); },
     [](Real a, Real b) { return std::isnan(a) || a < b ? a : b; }, 0},
};

}  // namespace

TEMPLATE_TEST_CASE("elementwise ops of two tensors are within their bounds, special values as in C", "",
                   float, double) {
  std::vector<TestType> a, b;
  test::sample_pairs(a, b, 30000);
  const Tensor as = tensor_of(a), bs = tensor_of(b);
  test::LevelGuard guard;
  for (const Binary& f : binaries) {
    for (const kernels::Level level : test::levels()) {
      guard.set(level);
      const Tensor y = f.op(as, bs);
      Worst<std::size_t> worst;
      for (std::size_t i = 0; i < a.size(); ++i)
        worst.see(i, i, test::ulps(y.data<TestType>()[i], f.exact(a[i], b[i])));
      std::printf("%-14s %s %s %.3Lf ulp\n", f.name, sizeof(TestType) == 4 ? "float32" : "float64",
                  kernels::name(level), worst.error);
      CAPTURE(f.name, kernels::name(level), sizeof(TestType), a[worst.at], b[worst.at],
              y.data<TestType>()[worst.at], f.exact(a[worst.at], b[worst.at]), worst.error);
      CHECK(worst.error <= f.bound);
    }
  }
}

TEMPLATE_TEST_CASE("level v4 has the bits of level v3, or keeps the bounds against double", "[v4]", float,
                   double) {
  using T = TestType;
  // An emulated CPU has v4 where nothing else does, but no long double to rely on: the x87 of Bochs is off by
  // a hundred ulp of a double. What differs from v3 divides by an approximate reciprocal.
  if (test::levels().back() != kernels::Level::v4) return;
  test::LevelGuard guard;
  const auto differs = [&](const auto& op) {
    guard.set(kernels::Level::v3);
    const Tensor expected = op();
    guard.set(kernels::Level::v4);
    const Tensor got = op();
    for (std::int64_t i = 0; i < got.numel(); ++i) {
      const T y = got.data<T>()[i], e = expected.data<T>()[i];
      if (std::memcmp(&y, &e, sizeof y) != 0 && !(std::isnan(y) && std::isnan(e))) return true;
    }
    return false;
  };
  const std::vector<T> x = test::sample_numbers<T>(sizeof(T) == 4 ? 150 : 12, 20000);
  const Tensor xs = tensor_of(x);
  for (const Unary& f : unaries()) {
    CAPTURE(f.name, sizeof(T));
    if (!differs([&] { return f.op(xs); })) continue;
    CHECK(std::is_same_v<T, float>);
    std::vector<double> want;
    for (const T v : x) want.push_back(f.exact_double(static_cast<double>(v)));
    Worst<T> worst;
    compare(f, x.data(), f.op(xs).template data<T>(), want.data(), xs.numel(), worst);
    report(f, kernels::Level::v4, worst);
  }
  std::vector<T> a, b;
  test::sample_pairs(a, b, 5000);
  const Tensor as = tensor_of(a), bs = tensor_of(b);
  for (const Binary& f : binaries) {
    CAPTURE(f.name, sizeof(T));
    CHECK_FALSE(differs([&] { return f.op(as, bs); }));
  }
}

TEMPLATE_TEST_CASE("comparisons and where are exact, NaN and infinities included", "", float, double) {
  std::vector<TestType> a, b;
  test::sample_pairs(a, b, 2000);
  const Tensor as = tensor_of(a), bs = tensor_of(b);
  test::LevelGuard guard;
  for (const kernels::Level level : test::levels()) {
    guard.set(level);
    CAPTURE(kernels::name(level), sizeof(TestType));
    const Tensor less = as<bs, less_equal = as <= bs, greater = as> bs, greater_equal = as >= bs,
                 equal = as == bs, not_equal = as != bs, chosen = where(less, as, bs), nan = isnan(as),
                 inf = isinf(as), finite = isfinite(as);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const auto is = [i](const Tensor& y, bool value) { return y.data<bool>()[i] == value; };
      const TestType c = chosen.data<TestType>()[i], want = a[i] < b[i] ? a[i] : b[i];
      wrong += !(is(less, a[i] < b[i]) && is(less_equal, a[i] <= b[i]) && is(greater, a[i] > b[i]) &&
                 is(greater_equal, a[i] >= b[i]) && is(equal, a[i] == b[i]) && is(not_equal, a[i] != b[i]) &&
                 is(nan, std::isnan(a[i])) && is(inf, std::isinf(a[i])) && is(finite, std::isfinite(a[i])) &&
                 std::memcmp(&c, &want, sizeof c) == 0);
    }
    CHECK(wrong == 0);
  }
}

TEMPLATE_TEST_CASE("lerp is within 4 ulp of the largest of its terms, which may cancel", "", float, double) {
  using T = TestType;
  std::vector<T> a, b, w;
  std::mt19937_64 random(17);
  std::uniform_real_distribution<T> unit(0, 1), any(-2, 2);
  const T weights[] = {0, 1, T(0.5), T(1e-10), 1 - std::numeric_limits<T>::epsilon(), -1, 3};
  for (int i = 0; i < 40000; ++i) {
    a.push_back(any(random));
    w.push_back(i % 3 == 0 ? weights[i / 3 % 7] : unit(random));
    b.push_back(i % 2 == 0 || w.back() == 0 ? any(random) : -a.back() * (1 - w.back()) / w.back());
  }
  const Tensor as = tensor_of(a), bs = tensor_of(b), ws = tensor_of(w);
  test::LevelGuard guard;
  for (const kernels::Level level : test::levels()) {
    guard.set(level);
    const Tensor y = lerp(as, bs, ws);
    Worst<std::size_t> worst;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const Real change = Real(w[i]) * (Real(b[i]) - Real(a[i])), exact = Real(a[i]) + change;
      const Real largest = std::max({std::fabs(Real(a[i])), std::fabs(Real(w[i]) * Real(b[i])),
                                     std::fabs(Real(w[i]) * Real(a[i])), std::fabs(exact)});
      const Real unit_in_last_place = largest * Real(std::numeric_limits<T>::epsilon()) / 2;
      worst.see(i, i, largest == 0 ? 0 : std::fabs(y.data<T>()[i] - exact) / unit_in_last_place);
    }
    std::printf("%-14s %s %s %.3Lf ulp\n", "lerp", sizeof(T) == 4 ? "float32" : "float64",
                kernels::name(level), worst.error);
    CAPTURE(kernels::name(level), sizeof(T), a[worst.at], b[worst.at], w[worst.at], worst.error);
    CHECK(worst.error <= 4);
  }
}
