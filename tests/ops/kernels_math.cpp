#include <xgrad/ops/kernels/map.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

// Errors in units in the last place (ulp) against the C library in long double. By default float arguments
// are sampled over every exponent; "[exhaustive]" takes every float.

using namespace xgrad;
using kernels::Level;

namespace {

using Real = long double;

std::vector<Level> levels() {
  std::vector<Level> all;
  for (const Level l : {Level::portable, Level::v3, Level::v4}) {
    if (l <= kernels::cpu_level()) {
      all.push_back(l);
    } else {
      WARN("level " << kernels::name(l) << " skipped: this CPU lacks it");
    }
  }
  return all;
}

/// The distance of `got` from `want` in units of the last place of T at `want`; infinite where one is NaN or
/// infinite and the other is not.
template <class T>
Real ulps(T got, Real want) {
  using Limits = std::numeric_limits<T>;
  if (std::isnan(want) || std::isnan(got)) return std::isnan(want) && std::isnan(got) ? 0 : INFINITY;
  const T rounded = static_cast<T>(want);
  if (std::isinf(rounded) && got == rounded) return 0;
  if (std::isinf(got) && !std::isinf(rounded)) {
    // An overflow is as wrong as the largest finite number's successor would be.
    if (std::signbit(got) != std::signbit(want)) return INFINITY;
    return std::abs((std::ldexp(Real(1), Limits::max_exponent) - std::abs(want)) /
                    std::ldexp(Real(1), Limits::max_exponent - Limits::digits));
  }
  if (std::isinf(want)) return got == rounded ? 0 : INFINITY;
  int exponent = want == 0 ? Limits::min_exponent : std::ilogb(want) + 1;
  exponent = std::min(std::max(exponent, Limits::min_exponent), Limits::max_exponent);
  return std::abs(static_cast<Real>(got) - want) / std::ldexp(Real(1), exponent - Limits::digits);
}

/// A function under test: on packs, in long double, and how far it may be off.
template <class F, class R>
struct Case {
  const char* name;
  F packs;
  R exact;
  double bound;
};
template <class F, class R>
Case(const char*, F, R, double) -> Case<F, R>;

template <class R>
R sigmoid_exact(R x) {
  const R e = std::exp(-std::abs(x));
  return (x < 0 ? e : 1) / (1 + e);
}
template <class R>
R softplus_exact(R x) {
  return std::max(x, R(0)) + std::log1p(std::exp(-std::abs(x)));
}

#define XGRAD_UNARY(name, bound)                                                              \
  Case {                                                                                      \
#name, [](auto x) { return name(x); }, [](auto x) { using std::name; return name(x); }, bound \
  }

template <class Visit>
void each_function(Visit visit) {
  visit(XGRAD_UNARY(exp, 2));
  visit(XGRAD_UNARY(log, 2));
  visit(XGRAD_UNARY(tanh, 2));
  visit(Case{"sigmoid", [](auto x) { return sigmoid(x); }, [](auto x) { return sigmoid_exact(x); }, 2});
  visit(XGRAD_UNARY(erf, 2));
  visit(XGRAD_UNARY(expm1, 4));
  visit(XGRAD_UNARY(log1p, 4));
  visit(XGRAD_UNARY(log2, 4));
  visit(XGRAD_UNARY(log10, 4));
  visit(XGRAD_UNARY(sqrt, 0.5));
  visit(Case{"rsqrt", [](auto x) { return rsqrt(x); }, [](auto x) { return 1 / std::sqrt(x); }, 4});
  visit(XGRAD_UNARY(sin, 4));
  visit(XGRAD_UNARY(cos, 4));
  visit(XGRAD_UNARY(tan, 4));
  visit(XGRAD_UNARY(asin, 4));
  visit(XGRAD_UNARY(acos, 4));
  visit(XGRAD_UNARY(atan, 4));
  visit(XGRAD_UNARY(sinh, 4));
  visit(XGRAD_UNARY(cosh, 4));
  visit(XGRAD_UNARY(asinh, 4));
  visit(XGRAD_UNARY(acosh, 4));
  visit(XGRAD_UNARY(atanh, 4));
  visit(XGRAD_UNARY(erfc, 4));
  visit(Case{"log_sigmoid", [](auto x) { return log_sigmoid(x); }, [](auto x) { return -softplus_exact(-x); },
             4});
  visit(Case{"softplus", [](auto x) { return softplus(x); }, [](auto x) { return softplus_exact(x); }, 4});
  visit(XGRAD_UNARY(floor, 0));
  visit(XGRAD_UNARY(ceil, 0));
  visit(XGRAD_UNARY(trunc, 0));
  visit(Case{"round", [](auto x) { return round(x); }, [](auto x) { return std::nearbyint(x); }, 0});
}

template <class T>
struct Worst {
  Real error = 0;
  T at{};
  T got{};
  void see(T x, T y, Real e) {
    if (e > error || std::isnan(e)) error = e, at = x, got = y;
  }
};

template <class T>
std::vector<T> special_values() {
  using L = std::numeric_limits<T>;
  std::vector<T> x;
  for (const T v : {T(0),
                    L::denorm_min(),
                    L::min(),
                    L::epsilon(),
                    T(0.5),
                    T(1),
                    std::nextafter(T(1), T(0)),
                    std::nextafter(T(1), T(2)),
                    T(2),
                    T(9),
                    T(17),
                    T(88.72283),
                    T(88.7229),
                    T(103.97),
                    T(104.1),
                    T(709.78271),
                    T(709.8),
                    T(745.13),
                    T(746),
                    L::max(),
                    L::infinity()}) {
    x.push_back(v);
    x.push_back(-v);
  }
  x.push_back(L::quiet_NaN());
  return x;
}

/// Special values, numbers over every exponent, and many of the size that networks compute with.
template <class T>
std::vector<T> sample(int per_exponent, int around_one) {
  using L = std::numeric_limits<T>;
  std::mt19937_64 random(1234);
  std::vector<T> x = special_values<T>();
  std::uniform_real_distribution<T> mantissa(1, 2), close(-12, 12), wide(-110, 110);
  for (int e = L::min_exponent - L::digits; e < L::max_exponent; ++e) {
    for (int i = 0; i < per_exponent; ++i) x.push_back((i % 2 ? -1 : 1) * std::ldexp(mantissa(random), e));
  }
  for (int i = 0; i < around_one; ++i) {
    x.push_back(close(random));
    x.push_back(wide(random));
  }
  return x;
}

template <class Reference, class T, class C>
void check(const C& c, const std::vector<T>& x) {
  std::vector<Reference> want(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) want[i] = c.exact(static_cast<Reference>(x[i]));
  for (const Level level : levels()) {
    std::vector<T> y(x.size());
    kernels::map_at(level, c.packs, 1, static_cast<std::int64_t>(x.size()), kernels::out(y.data()),
                    kernels::in(x.data()));
    Worst<T> worst;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (y[i] != static_cast<T>(want[i])) worst.see(x[i], y[i], ulps(y[i], static_cast<Real>(want[i])));
    }
    CAPTURE(c.name, kernels::name(level), sizeof(T), worst.at, worst.got,
            static_cast<Reference>(c.exact(static_cast<Reference>(worst.at))), worst.error);
    CHECK(worst.error <= c.bound);
  }
}

}  // namespace

TEST_CASE("functions of one float are within their bounds, over every exponent") {
  const std::vector<float> x = sample<float>(150, 20000);
  each_function([&](const auto& c) { check<Real>(c, x); });
}

TEST_CASE("functions of one double are within their bounds, over every exponent") {
  const std::vector<double> x = sample<double>(8, 10000);
  each_function([&](const auto& c) { check<Real>(c, x); });
}

TEST_CASE("functions of one float are within their bounds for every float", "[.][exhaustive]") {
  constexpr std::int64_t block = 1 << 20;
  std::vector<float> x(block);
  for (std::int64_t begin = 0; begin < std::int64_t{1} << 32; begin += block) {
    for (std::int64_t i = 0; i < block; ++i) {
      const auto bits = static_cast<std::uint32_t>(begin + i);
      std::memcpy(&x[static_cast<std::size_t>(i)], &bits, sizeof bits);
    }
    each_function([&](const auto& c) { check<double>(c, x); });
  }
}

namespace {

/// The bound holds for every pair of arguments, at every level.
template <class T, class F, class R>
void check_pairs(const char* name, F packs, R exact, double bound, const std::vector<T>& a,
                 const std::vector<T>& b) {
  for (const Level level : levels()) {
    std::vector<T> y(a.size());
    kernels::map_at(level, packs, 1, static_cast<std::int64_t>(a.size()), kernels::out(y.data()),
                    kernels::in(a.data()), kernels::in(b.data()));
    Worst<std::size_t> worst;
    for (std::size_t i = 0; i < a.size(); ++i) {
      worst.see(i, i, ulps(y[i], exact(static_cast<Real>(a[i]), static_cast<Real>(b[i]))));
    }
    CAPTURE(name, kernels::name(level), sizeof(T), a[worst.at], b[worst.at], y[worst.at],
            exact(a[worst.at], b[worst.at]), worst.error);
    CHECK(worst.error <= bound);
  }
}

/// All pairs of special values, and random ones: of every size, and such that the power is representable.
template <class T>
void sample_pairs(std::vector<T>& a, std::vector<T>& b, int n) {
  using L = std::numeric_limits<T>;
  std::vector<T> special = special_values<T>();
  for (const T v : {T(3), T(-3), T(2.5), T(-2.5), T(1e6), T(-1e6), T(16777215), T(33554432)})
    special.push_back(v);
  for (const T x : special) {
    for (const T y : special) a.push_back(x), b.push_back(y);
  }
  std::mt19937_64 random(99);
  std::uniform_real_distribution<T> exponent(T(L::min_exponent - L::digits), T(L::max_exponent)), unit(-1, 1);
  for (int i = 0; i < n; ++i) {
    a.push_back((i % 5 ? 1 : -1) * std::exp2(exponent(random)));
    b.push_back((i % 3 ? 1 : -1) * std::exp2(exponent(random)));
    const T base = std::exp2(exponent(random) * unit(random));
    a.push_back(base);
    b.push_back(exponent(random) * unit(random) / std::log2(base));
    a.push_back(1 + unit(random) * T(0.01));
    b.push_back(exponent(random) / (a.back() - 1) / 2);
    a.push_back(unit(random) * 30);
    b.push_back(std::round(unit(random) * 20));
  }
}

}  // namespace

TEMPLATE_TEST_CASE("pow and atan2 are within their bounds, special values as in C", "", float, double) {
  std::vector<TestType> a, b;
  sample_pairs(a, b, 20000);
  check_pairs(
      "pow", [](auto x, auto y) { return pow(x, y); }, [](Real x, Real y) { return std::pow(x, y); }, 2, a,
      b);
  check_pairs(
      "atan2", [](auto x, auto y) { return atan2(x, y); }, [](Real x, Real y) { return std::atan2(x, y); }, 4,
      a, b);
}

TEST_CASE("zeros keep their sign through the odd functions") {
  const float zeros[2] = {0.0f, -0.0f};
  for (const Level level : levels()) {
    const auto check_sign = [&](const char* name, auto f) {
      CAPTURE(name, kernels::name(level));
      float y[2];
      kernels::map_at(level, f, 1, 2, kernels::out(y), kernels::in(zeros));
      CHECK((y[0] == 0 && !std::signbit(y[0])));
      CHECK((y[1] == 0 && std::signbit(y[1])));
    };
    check_sign("tanh", [](auto x) { return tanh(x); });
    check_sign("expm1", [](auto x) { return expm1(x); });
    check_sign("log1p", [](auto x) { return log1p(x); });
    check_sign("sin", [](auto x) { return sin(x); });
    check_sign("tan", [](auto x) { return tan(x); });
    check_sign("asin", [](auto x) { return asin(x); });
    check_sign("atan", [](auto x) { return atan(x); });
    check_sign("sinh", [](auto x) { return sinh(x); });
    check_sign("asinh", [](auto x) { return asinh(x); });
    check_sign("atanh", [](auto x) { return atanh(x); });
    check_sign("erf", [](auto x) { return erf(x); });
    check_sign("sqrt", [](auto x) { return sqrt(x); });
    check_sign("floor", [](auto x) { return floor(x); });
    check_sign("ceil", [](auto x) { return ceil(x); });
    check_sign("round", [](auto x) { return round(x); });
    check_sign("trunc", [](auto x) { return trunc(x); });
  }
}

TEST_CASE("the scalar functions are those of packs") {
  CHECK(simd::exp(1.0) == Approx(2.718281828459045).epsilon(1e-15));
  CHECK(simd::tanh(0.5f) == Approx(0.46211716f).epsilon(1e-6));
  CHECK(simd::pow(2.0, 0.5) == Approx(1.4142135623730951).epsilon(1e-15));
  CHECK(simd::select(simd::maximum(1.0f, 2.0f) > 1, 3, 4) == 3);
  CHECK(std::isnan(simd::minimum(std::numeric_limits<float>::quiet_NaN(), 1.0f)));
  CHECK(std::isnan(simd::minimum(1.0f, std::numeric_limits<float>::quiet_NaN())));
}
