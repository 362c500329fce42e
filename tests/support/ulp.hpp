#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

/// Errors in units in the last place, and the numbers at which to look for them.
namespace xgrad::test {

using Real = long double;

/// One unit of the last place of T at the magnitude of x; of subnormal numbers it is the smallest of them.
template <class T>
Real ulp_at(Real x) {
  using L = std::numeric_limits<T>;
  const int exponent = x == 0 ? L::min_exponent : std::ilogb(x) + 1;
  return std::ldexp(Real(1), std::clamp(exponent, L::min_exponent, L::max_exponent) - L::digits);
}

/// The distance of `got` from `want` in units of the last place of T at `want` (or at `scale`, if that is
/// larger); infinite where one is NaN or infinite and the other is not.
template <class T>
Real ulps(T got, Real want, Real scale = 0) {
  using L = std::numeric_limits<T>;
  if (std::isnan(want) || std::isnan(got)) return std::isnan(want) && std::isnan(got) ? 0 : INFINITY;
  const T rounded = static_cast<T>(want);
  if (std::isinf(rounded) && got == rounded) return 0;
  if (std::isinf(got) && !std::isinf(rounded)) {
    // An overflow is as wrong as the largest finite number's successor would be.
    if (std::signbit(got) != std::signbit(want)) return INFINITY;
    return std::abs((std::ldexp(Real(1), L::max_exponent) - std::abs(want)) / ulp_at<T>(L::max()));
  }
  if (std::isinf(want)) return got == rounded ? 0 : INFINITY;
  return std::abs(static_cast<Real>(got) - want) /
         ulp_at<T>(std::isfinite(scale) ? std::max(std::abs(want), std::abs(scale)) : want);
}

/// The largest error seen, and where.
template <class T>
struct Worst {
  Real error = 0;
  T at{};
  T got{};
  void see(T x, T y, Real e) {
    if (e > error || std::isnan(e)) error = e, at = x, got = y;
  }
};

/// Zeros, subnormals, infinities, NaN, the ends of the ranges of exponentials and numbers beside 1.
template <class T>
std::vector<T> special_values() {
  using L = std::numeric_limits<T>;
  std::vector<T> x;
  for (const T v : {T(0),
                    L::denorm_min(),
                    std::nextafter(L::min(), T(0)),
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
std::vector<T> sample_numbers(int per_exponent, int around_one) {
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

/// All pairs of special values, and random ones: of every size, close together, and such that their power is
/// representable.
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
    a.push_back(unit(random));
    b.push_back(a.back() * (1 + unit(random) * T(1e-3)));
  }
}

}  // namespace xgrad::test
