#pragma once

/// \file
/// Dual numbers: derivatives of any function of numbers, by running it.
///
/// A dual number is v + d ε with ε² = 0. Insert it into a Taylor series and everything behind the linear term
/// vanishes:
///
///     f(v + d ε) = f(v) + f'(v) d ε.
///
/// So if each elementary function maps (v, d) to (f(v), f'(v) d), then whatever is composed of them does so
/// too: that is the chain rule. Sums and products follow from ε² = 0 alone, e.g. (a + a' ε)(b + b' ε) = ab +
/// (a' b + a b') ε. To differentiate f(x, y) in both arguments at once, take two infinitesimals, with
/// products ε_i ε_j = 0: x + ε_0 and y + ε_1 give f + (∂f/∂x) ε_0 + (∂f/∂y) ε_1. This is forward-mode
/// differentiation; it carries N partial derivatives through every step, which is cheap for the one to three
/// inputs of an elementwise function, and exact: nothing is approximated by differences.
///
/// `Dual<T, N>` is such a number: T is float, double or a pack of them. At a kink the derivative is the one
/// that PyTorch takes (0 for relu, abs and sign at 0; half each for maximum and minimum of equals).

#include <xgrad/ops/kernels/map.hpp>

namespace xgrad::inline v0::simd {

/// v + d[0] ε_0 + … + d[N-1] ε_{N-1}.
template <class T, int N>
struct Dual {
  T v;
  T d[N];

  Dual() = default;
  /// A constant.
  XGRAD_SIMD_INLINE Dual(const T& value) : v(value) {
    for (int i = 0; i < N; ++i) d[i] = T(0);
  }
  template <Number S>
  requires(!std::is_same_v<S, T>) XGRAD_SIMD_INLINE Dual(S value) : Dual(T(value)) {}
  /// The variable that ε_i belongs to.
  XGRAD_SIMD_INLINE static Dual variable(const T& value, int i) {
    Dual r(value);
    r.d[i] = T(1);
    return r;
  }
  /// f(a), given f's value and derivative at a.v.
  XGRAD_SIMD_INLINE static Dual chain(const T& value, const T& slope, const Dual& a) {
    Dual r;
    r.v = value;
    for (int i = 0; i < N; ++i) r.d[i] = slope * a.d[i];
    return r;
  }
  /// f(a, b), given f's value and its two partial derivatives.
  XGRAD_SIMD_INLINE static Dual chain(const T& value, const T& slope_a, const Dual& a, const T& slope_b,
                                      const Dual& b) {
    Dual r;
    r.v = value;
    for (int i = 0; i < N; ++i) r.d[i] = slope_a * a.d[i] + slope_b * b.d[i];
    return r;
  }

  XGRAD_SIMD_INLINE friend Dual operator+(const Dual& a) { return a; }
  XGRAD_SIMD_INLINE friend Dual operator-(const Dual& a) {
    Dual r;
    r.v = -a.v;
    for (int i = 0; i < N; ++i) r.d[i] = -a.d[i];
    return r;
  }
  XGRAD_SIMD_INLINE friend Dual operator+(const Dual& a, const Dual& b) {
    Dual r;
    r.v = a.v + b.v;
    for (int i = 0; i < N; ++i) r.d[i] = a.d[i] + b.d[i];
    return r;
  }
  XGRAD_SIMD_INLINE friend Dual operator-(const Dual& a, const Dual& b) {
    Dual r;
    r.v = a.v - b.v;
    for (int i = 0; i < N; ++i) r.d[i] = a.d[i] - b.d[i];
    return r;
  }
  XGRAD_SIMD_INLINE friend Dual operator*(const Dual& a, const Dual& b) {
    return chain(a.v * b.v, b.v, a, a.v, b);
  }
  XGRAD_SIMD_INLINE friend Dual operator/(const Dual& a, const Dual& b) {
    const T r = 1 / b.v, q = a.v / b.v;
    return chain(q, r, a, -q * r, b);
  }
  XGRAD_SIMD_INLINE Dual& operator+=(const Dual& b) { return *this = *this + b; }
  XGRAD_SIMD_INLINE Dual& operator-=(const Dual& b) { return *this = *this - b; }
  XGRAD_SIMD_INLINE Dual& operator*=(const Dual& b) { return *this = *this * b; }
  XGRAD_SIMD_INLINE Dual& operator/=(const Dual& b) { return *this = *this / b; }

  // With a constant on one side the zeros need not be carried along.
  template <Number S>
  XGRAD_SIMD_INLINE friend Dual operator+(const Dual& a, S s) {
    Dual r = a;
    r.v = a.v + T(s);
    return r;
  }
  template <Number S>
  XGRAD_SIMD_INLINE friend Dual operator+(S s, const Dual& a) {
    return a + s;
  }
  template <Number S>
  XGRAD_SIMD_INLINE friend Dual operator-(const Dual& a, S s) {
    Dual r = a;
    r.v = a.v - T(s);
    return r;
  }
  template <Number S>
  XGRAD_SIMD_INLINE friend Dual operator-(S s, const Dual& a) {
    return s + -a;
  }
  template <Number S>
  XGRAD_SIMD_INLINE friend Dual operator*(const Dual& a, S s) {
    return chain(a.v * T(s), T(s), a);
  }
  template <Number S>
  XGRAD_SIMD_INLINE friend Dual operator*(S s, const Dual& a) {
    return a * s;
  }
  template <Number S>
  XGRAD_SIMD_INLINE friend Dual operator/(const Dual& a, S s) {
    return chain(a.v / T(s), 1 / T(s), a);
  }
  template <Number S>
  XGRAD_SIMD_INLINE friend Dual operator/(S s, const Dual& a) {
    const T q = T(s) / a.v;
    return chain(q, -q / a.v, a);
  }

  // Comparisons are of the values; they are locally constant.
#define XGRAD_SIMD_COMPARE(op) \
  XGRAD_SIMD_INLINE friend auto operator op(const Dual& a, const Dual& b) { return a.v op b.v; }
  XGRAD_SIMD_COMPARE(<)
  XGRAD_SIMD_COMPARE(<=)
  XGRAD_SIMD_COMPARE(>)
  XGRAD_SIMD_COMPARE(>=)
  XGRAD_SIMD_COMPARE(==)
  XGRAD_SIMD_COMPARE(!=)
#undef XGRAD_SIMD_COMPARE

  template <class M>
  XGRAD_SIMD_INLINE friend Dual select(const M& m, const Dual& a, const Dual& b) {
    Dual r;
    r.v = select(m, a.v, b.v);
    for (int i = 0; i < N; ++i) r.d[i] = select(m, a.d[i], b.d[i]);
    return r;
  }
  XGRAD_SIMD_INLINE friend Dual min(const Dual& a, const Dual& b) { return select(a.v < b.v, a, b); }
  XGRAD_SIMD_INLINE friend Dual max(const Dual& a, const Dual& b) { return select(a.v > b.v, a, b); }
  /// Equal arguments share the derivative.
  XGRAD_SIMD_INLINE friend Dual maximum(const Dual& a, const Dual& b) {
    const T share = select(a.v == b.v, T(0.5), select(a.v > b.v, T(1), T(0)));
    return chain(maximum(a.v, b.v), share, a, 1 - share, b);
  }
  XGRAD_SIMD_INLINE friend Dual minimum(const Dual& a, const Dual& b) {
    const T share = select(a.v == b.v, T(0.5), select(a.v < b.v, T(1), T(0)));
    return chain(minimum(a.v, b.v), share, a, 1 - share, b);
  }
  /// Inside and on the bounds the derivative is 1.
  XGRAD_SIMD_INLINE friend Dual clip(const Dual& a, const Dual& lo, const Dual& hi) {
    return select(a.v < lo.v, lo, select(a.v > hi.v, hi, a));
  }
  /// ∂/∂a = b a^(b-1), which is 0 at b = 0; ∂/∂b = log(a) a^b, which is 0 at a = 0 for b ≥ 0.
  XGRAD_SIMD_INLINE friend Dual pow(const Dual& a, const Dual& b) {
    const T p = pow(a.v, b.v);
    const T by_base = select(b.v == T(0), T(0), b.v * pow(a.v, b.v - 1));
    const T by_exponent = select((a.v == T(0)) & (b.v >= T(0)), T(0), log(a.v) * p);
    return chain(p, by_base, a, by_exponent, b);
  }
  template <Number S>
  XGRAD_SIMD_INLINE friend Dual pow(const Dual& a, S b) {
    if (b == S(0)) return Dual(T(1));
    return chain(pow(a.v, T(b)), T(b) * pow(a.v, T(b - 1)), a);
  }
  XGRAD_SIMD_INLINE friend Dual atan2(const Dual& y, const Dual& x) {
    const T r = 1 / (x.v * x.v + y.v * y.v);
    return chain(atan2(y.v, x.v), x.v * r, y, -y.v * r, x);
  }
  /// a · b + c.
  XGRAD_SIMD_INLINE friend Dual fma(const Dual& a, const Dual& b, const Dual& c) { return a * b + c; }
};

namespace detail {
/// s + y (1 - s), s = sigmoid(x), for y = x s. At +inf y is bounded: 1 - s is 0.
template <class T>
XGRAD_SIMD_INLINE T silu_slope(const T& x, const T& y) {
  const T s = sigmoid(x);
  return s + min(T(100), y) * (1 - s);
}
}  // namespace detail

// Each line: the function, its value y at x, and its derivative there.
#define XGRAD_SIMD_DUAL(name, slope)                       \
  template <class T, int N>                                \
  XGRAD_SIMD_INLINE Dual<T, N> name(const Dual<T, N>& a) { \
    const T x = a.v, y = name(x);                          \
    return Dual<T, N>::chain(y, slope, a);                 \
  }
XGRAD_SIMD_DUAL(exp, y)
XGRAD_SIMD_DUAL(expm1, exp(x))
XGRAD_SIMD_DUAL(log, 1 / x)
XGRAD_SIMD_DUAL(log1p, 1 / (1 + x))
XGRAD_SIMD_DUAL(log2, T(1.4426950408889634) / x)
XGRAD_SIMD_DUAL(log10, T(0.4342944819032518) / x)
XGRAD_SIMD_DUAL(sqrt, T(0.5) / y)
XGRAD_SIMD_DUAL(rsqrt, T(-0.5) * y / x)
XGRAD_SIMD_DUAL(square, 2 * x)
XGRAD_SIMD_DUAL(reciprocal, -y* y)
XGRAD_SIMD_DUAL(sin, cos(x))
XGRAD_SIMD_DUAL(cos, -sin(x))
XGRAD_SIMD_DUAL(tan, 1 + y * y)
XGRAD_SIMD_DUAL(asin, rsqrt((1 - x) * (1 + x)))
XGRAD_SIMD_DUAL(acos, -rsqrt((1 - x) * (1 + x)))
XGRAD_SIMD_DUAL(atan, 1 / (1 + x * x))
XGRAD_SIMD_DUAL(sinh, cosh(x))
XGRAD_SIMD_DUAL(cosh, sinh(x))
XGRAD_SIMD_DUAL(tanh, 1 - y * y)
XGRAD_SIMD_DUAL(asinh, rsqrt(1 + x * x))
XGRAD_SIMD_DUAL(acosh, rsqrt((x - 1) * (x + 1)))
XGRAD_SIMD_DUAL(atanh, 1 / ((1 - x) * (1 + x)))
XGRAD_SIMD_DUAL(sigmoid, y*(1 - y))
XGRAD_SIMD_DUAL(silu, detail::silu_slope(x, y))
XGRAD_SIMD_DUAL(log_sigmoid, sigmoid(-x))
XGRAD_SIMD_DUAL(softplus, sigmoid(x))
XGRAD_SIMD_DUAL(erf, T(1.1283791670955126) * exp(-x * x))
XGRAD_SIMD_DUAL(erfc, T(-1.1283791670955126) * exp(-x * x))
XGRAD_SIMD_DUAL(abs, sign(x))
XGRAD_SIMD_DUAL(relu, select(x > T(0), T(1), T(0)))
XGRAD_SIMD_DUAL(sign, T(0))
XGRAD_SIMD_DUAL(round, T(0))
XGRAD_SIMD_DUAL(floor, T(0))
XGRAD_SIMD_DUAL(ceil, T(0))
XGRAD_SIMD_DUAL(trunc, T(0))
#undef XGRAD_SIMD_DUAL

template <class T, int N>
XGRAD_SIMD_INLINE auto isnan(const Dual<T, N>& a) {
  return isnan(a.v);
}

namespace detail {
/// Turns f into the function (dy, x…) ↦ dy · ∂f/∂x….
template <class F>
struct Gradient {
  F f;
  template <class P, class... X>
  XGRAD_SIMD_INLINE auto operator()(const P& dy, const X&... x) const {
    return partials(std::make_index_sequence<sizeof...(X)>{}, dy, x...);
  }
  template <std::size_t... K, class P, class... X>
  XGRAD_SIMD_INLINE static auto partials_of(const F& f, std::index_sequence<K...>, const P& dy,
                                            const X&... x) {
    const Dual<P, sizeof...(X)> y = f(Dual<P, sizeof...(X)>::variable(x, static_cast<int>(K))...);
    return several(dy * y.d[K]...);
  }
  template <std::size_t... K, class P, class... X>
  XGRAD_SIMD_INLINE auto partials(std::index_sequence<K...> k, const P& dy, const X&... x) const {
    return partials_of(f, k, dy, x...);
  }
};
/// Turns f into the function x ↦ (f(x), f'(x)).
template <class F>
struct ValueAndSlope {
  static constexpr int unroll = 4;  // f and its slope are a chain twice as long as f
  F f;
  template <class P>
  XGRAD_SIMD_INLINE auto operator()(const P& x) const {
    const Dual<P, 1> y = f(Dual<P, 1>::variable(x, 0));
    return several(y.v, y.d[0]);
  }
};
}  // namespace detail

}  // namespace xgrad::inline v0::simd

namespace xgrad::inline v0::kernels {

/// The gradient of an elementwise function in one pass: grads[k][i] = dy[i] · ∂f/∂x_k (x_0[i], x_1[i], …).
/// Every grad is written in full, also that of a broadcast input (whose caller sums it).
///
///     kernels::map_grad([](auto a, auto b) { return a * sigmoid(b); }, n, kernels::outs(da, db), dy, a, b);
///
/// dy and the inputs are pointers or `in(…)` of one floating type, as for `map`.
template <class F, class T, std::size_t N, class Dy, class... From>
void map_grad(const F& f, std::int64_t n, const Out<T, N>& grads, const Dy& dy, const From&... from) {
  static_assert(N == sizeof...(From), "one gradient for each input");
  map(simd::detail::Gradient<F>{f}, n, grads, dy, from...);
}

}  // namespace xgrad::inline v0::kernels
