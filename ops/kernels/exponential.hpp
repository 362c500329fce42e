#pragma once

/// \file
/// Exponentials, logarithms and what is made of them, on packs of float and double. Each is written once for
/// both types; the table `Series<T>` holds what differs.

#include <xgrad/ops/kernels/basic.hpp>

namespace xgrad::inline v0::simd {

namespace detail {

/// c0 + c1 x + c2 x² + …
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> polynomial(const Pack<T, W>&, T c0) {
  return c0;
}
template <class T, int W, class... C>
XGRAD_SIMD_INLINE Pack<T, W> polynomial(const Pack<T, W>& x, T c0, C... c) {
  return fma(x, polynomial(x, static_cast<T>(c)...), Pack<T, W>(c0));
}

/// The same as (c0 + c1 x) + x² ((c2 + c3 x) + x² (…)), given x²: a chain half as long.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> polynomial_in_pairs(const Pack<T, W>&, const Pack<T, W>&, T c0) {
  return c0;
}
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> polynomial_in_pairs(const Pack<T, W>& x, const Pack<T, W>&, T c0, T c1) {
  return fma(x, c1, Pack<T, W>(c0));
}
template <class T, int W, class... C>
XGRAD_SIMD_INLINE Pack<T, W> polynomial_in_pairs(const Pack<T, W>& x, const Pack<T, W>& square, T c0, T c1,
                                                 C... c) {
  return fma(square, polynomial_in_pairs(x, square, static_cast<T>(c)...), fma(x, c1, Pack<T, W>(c0)));
}

template <class T>
struct Series;

template <>
struct Series<float> {
  /// Adding this rounds to an integer, which is then found in the low bits.
  static constexpr float rounder = 0x1.8p23f;
  /// ln 2 in two parts, the first short enough for n · ln2_high to be exact.
  static constexpr float ln2_high = 0x1.63p-1f, ln2_low = -0x1.bd0106p-13f;
  static constexpr float exp_min = -104.0f, exp_max = 89.0f, expm1_min = -18.0f;
  /// Here n is one below the exponents of normal numbers, and 2^n by its bits 0.
  static constexpr float exp_zero = -88.0f;
  /// (exp(f) - 1 - f) / f² for |f| ≤ ln 2 / 2.
  template <int W>
  XGRAD_SIMD_INLINE static Pack<float, W> exp_tail(const Pack<float, W>& f, const Pack<float, W>& square) {
    return polynomial_in_pairs(f, square, 0x1.fffffcp-2f, 0x1.555492p-3f, 0x1.5558acp-5f, 0x1.12397cp-7f,
                               0x1.6a5134p-10f);
  }
  static constexpr float smallest_normal = 0x1p-126f, subnormal_scale = 0x1p23f, subnormal_shift = -23;
  static constexpr std::int32_t one_bits = 0x3f800000, root_half_bits = 0x3f3504f3, mantissa = 0x007fffff;
  /// log(1 + f) - f for √½ ≤ 1 + f < √2.
  template <int W>
  XGRAD_SIMD_INLINE static Pack<float, W> log_tail(const Pack<float, W>& f) {
    const Pack<float, W> s = f * f;
    const Pack<float, W> p =
        polynomial_in_pairs(f, s, 0x1.555554p-2f, -0x1.000226p-2f, 0x1.99a01cp-3f, -0x1.54728ap-3f,
                            0x1.22d92ep-3f, -0x1.0d8242p-3f, 0x1.055ec6p-3f, -0x1.38c9dep-4f);
    return fma(s, -0.5f, s * f * p);
  }
};

template <>
struct Series<double> {
  static constexpr double rounder = 0x1.8p52;
  static constexpr double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;
  static constexpr double exp_min = -746.0, exp_max = 710.0, expm1_min = -38.0, exp_zero = -709.0;
  template <int W>
  XGRAD_SIMD_INLINE static Pack<double, W> exp_tail(const Pack<double, W>& f, const Pack<double, W>&) {
    return polynomial(f, 0.5, 0.16666666666666669, 0.041666666666666664, 0.008333333333330062,
                      0.0013888888888886552, 0.00019841269863053618, 2.4801587317144498e-05,
                      2.7557268459997064e-06, 2.755728296954995e-07, 2.510038549551032e-08,
                      2.0911236630261545e-09);
  }
  static constexpr double smallest_normal = 0x1p-1022, subnormal_scale = 0x1p52, subnormal_shift = -52;
  static constexpr std::int64_t one_bits = 0x3ff0000000000000, root_half_bits = 0x3fe6a09e667f3bcd,
                                mantissa = 0x000fffffffffffff;
  /// By s = f / (2 + f): log(1 + f) = log((1 + s) / (1 - s)) = 2 (s + s³/3 + s⁵/5 + …).
  template <int W>
  XGRAD_SIMD_INLINE static Pack<double, W> log_tail(const Pack<double, W>& f) {
    const Pack<double, W> s = f / (f + 2), z = s * s, half = 0.5 * f * f;
    const Pack<double, W> p =
        z * polynomial(z, 0.666666666666667, 0.3999999999989889, 0.28571428626253836, 0.22222211089379496,
                       0.1818289243253687, 0.15331611722055008, 0.14617807153417325);
    return fma(s, half + p, -half);
  }
};

/// The nearest integer, for |x| well below the rounder.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> round_by_adding(const Pack<T, W>& x) {
  return (x + Series<T>::rounder) - Series<T>::rounder;
}

/// 2^n for an integral n for which it is a normal number.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> power_of_two(const Pack<T, W>& n) {
  using I = Int<T>;
  constexpr T rounder = Series<T>::rounder + Format<T>::bias;
  return bits<T>(bits<I>(n + rounder) << Format<T>::mantissa_bits);
}

/// y · 2^n for an integral n, |n| up to twice the exponent range: rounded once, subnormal results included.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> times_power_of_two(const Pack<T, W>& y, const Pack<T, W>& n) {
  if constexpr (wide_register<T, W> && W * sizeof(T) == 64) {
    return scale(y, n);
  } else {
    using S = Series<T>;
    const Pack<T, W> half = fma(n, T(0.5), S::rounder) - S::rounder;
    return y * power_of_two(half) * power_of_two(n - half);
  }
}

/// x = n ln 2 + f with |f| ≤ ln 2 / 2, and tail = exp(f) - 1.
template <class T, int W>
struct Reduced {
  Pack<T, W> n, tail;
};
template <class T, int W>
XGRAD_SIMD_INLINE Reduced<T, W> reduce_exponent(const Pack<T, W>& x) {
  using S = Series<T>;
  const Pack<T, W> n = fma(x, T(0x1.71547652b82fep0), S::rounder) - S::rounder;
  const Pack<T, W> f = fma(n, -S::ln2_low, fma(n, -S::ln2_high, x));
  const Pack<T, W> square = f * f;
  return {n, fma(square, S::exp_tail(f, square), f)};
}

/// x = 2^e · (1 + f) with √½ ≤ 1 + f < √2, for x > 0 (also subnormal).
template <class T, int W>
struct Split {
  Pack<T, W> e, f;
};
template <class T, int W>
XGRAD_SIMD_INLINE Split<T, W> split_mantissa(const Pack<T, W>& x, bool subnormals = true) {
  using S = Series<T>;
  using I = Int<T>;
  using U = std::make_unsigned_t<I>;
  Pack<T, W> y = x, shift = 0;
  if (subnormals) {
    const auto tiny = x < S::smallest_normal;
    y = select(tiny, x * S::subnormal_scale, x);
    shift = select(tiny, Pack<T, W>(S::subnormal_shift), Pack<T, W>(0));
  }
  const Pack<I, W> i = bits<I>(y) + (S::one_bits - S::root_half_bits);
  const Pack<U, W> biased = bits<U>(i) >> Format<T>::mantissa_bits;
  // The exponent as low bits of a number whose unit is 1: conversion without an integer-to-floating
  // instruction.
  constexpr T unit = Format<T>::integral;
  const Pack<T, W> e = bits<T>(bits<I>(biased) | __builtin_bit_cast(I, unit)) - (unit + Format<T>::bias);
  return {e + shift, bits<T>((i & S::mantissa) + S::root_half_bits) - 1};
}

/// log(2^e (1 + f)).
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> log_of(const Split<T, W>& x) {
  using S = Series<T>;
  return fma(x.e, S::ln2_high, x.f + fma(x.e, S::ln2_low, S::log_tail(x.f)));
}

/// 1 / a to 2 ulp, for a neither tiny nor huge: by Newton's method where that is faster than a division.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> inverse(const Pack<T, W>& a) {
  if constexpr (std::is_same_v<T, float> && wide_register<T, W> && W == 16) {
    const Pack<T, W> r = rough_inverse(a);
    return fma(r, fma(-a, r, 1.0f), r);
  } else {
    return 1 / a;
  }
}

/// a / b, for b neither tiny nor huge: by the inverse and its remainder where that is faster than a division.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> quotient(const Pack<T, W>& a, const Pack<T, W>& b) {
  if constexpr (std::is_same_v<T, float> && wide_register<T, W> && W == 16) {
    const Pack<T, W> r = inverse(b), q = a * r;
    return fma(fma(-q, b, a), r, q);
  } else {
    return a / b;
  }
}

/// A logarithm's values where x is not a positive finite number: -inf at 0, NaN below, x at +inf and NaN.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> log_edges(const Pack<T, W>& x, const Pack<T, W>& r) {
  const Pack<T, W> edge =
      select(x == 0, Pack<T, W>(-infinity<T>), select(x < 0, Pack<T, W>(not_a_number<T>), x));
  return select((x > 0) & (x < infinity<T>), r, edge);
}

}  // namespace detail

template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> exp(const Pack<T, W>& x) {
  using S = detail::Series<T>;
  const auto r = detail::reduce_exponent(clip(x, S::exp_min, S::exp_max));
  return detail::times_power_of_two(r.tail + 1, r.n);
}

/// exp(x) for x ≤ 0 where only its size beside 1 matters: a result below the normal numbers is 0.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> exp_below_one(const Pack<T, W>& x) {
  const auto r = detail::reduce_exponent(max(Pack<T, W>(detail::Series<T>::exp_zero), x));
  return (r.tail + 1) * detail::power_of_two(r.n);
}

/// exp(x) - 1, accurate near 0.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> expm1(const Pack<T, W>& x) {
  using S = detail::Series<T>;
  const auto r = detail::reduce_exponent(clip(x, S::expm1_min, S::exp_max));
  // 2^n (1 + tail) - 1 = 2^n (tail + (1 - 2^-n)); 2^-n only matters while it is above the last bit.
  const Pack<T, W> down = detail::power_of_two(max(-r.n, Pack<T, W>(T(-100))));
  return select(x == 0, x, detail::times_power_of_two(r.tail + (1 - down), r.n));
}

/// The natural logarithm: -inf at 0, NaN below.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> log(const Pack<T, W>& x) {
  return detail::log_edges(x, detail::log_of(detail::split_mantissa(x)));
}
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> log2(const Pack<T, W>& x) {
  constexpr T log2_e = T(0x1.71547652b82fep0);
  const auto s = detail::split_mantissa(x);
  return detail::log_edges(x, s.e + (s.f + detail::Series<T>::log_tail(s.f)) * log2_e);
}
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> log10(const Pack<T, W>& x) {
  constexpr T log10_e = T(0x1.bcb7b1526e50ep-2), log10_2 = T(0x1.34413509f79ffp-2);
  const auto s = detail::split_mantissa(x);
  return detail::log_edges(x, fma(s.e, log10_2, (s.f + detail::Series<T>::log_tail(s.f)) * log10_e));
}
namespace detail {
/// log((u + lost) 2^shift) for u > 0, where `lost` is what rounding to u lost.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> log_of_sum(const Pack<T, W>& u, const Pack<T, W>& lost,
                                        const Pack<T, W>& shift = Pack<T, W>(T(0))) {
  auto s = split_mantissa(u, false);
  s.f += lost * power_of_two(max(-s.e, Pack<T, W>(T(-100))));
  s.e += shift;
  return log_edges(u, log_of(s));
}
/// log(1 + e) for 0 ≤ e ≤ 1: of 1 + e itself, or from √2 on of half of that.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> log1p_of_fraction(const Pack<T, W>& e) {
  using S = Series<T>;
  const auto upper = e > T(0.41421356);
  const Pack<T, W> f = select(upper, fma(e, T(0.5), T(-0.5)), e);
  return select(upper, Pack<T, W>(S::ln2_high), Pack<T, W>(0)) +
         (f + (S::log_tail(f) + select(upper, Pack<T, W>(S::ln2_low), Pack<T, W>(0))));
}
}  // namespace detail

/// log(1 + x), accurate near 0.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> log1p(const Pack<T, W>& x) {
  const Pack<T, W> u = x + 1, lost = select(u > x, x - (u - 1), 1 - (u - x));
  return select(x == 0, x, detail::log_of_sum(u, select(u < infinity<T>, lost, Pack<T, W>(0))));
}

/// 1 / (1 + exp(-x)): with e = exp(-|x|) it is a / (1 + e), where a = 1, or e below zero. The quotient q is
/// corrected by its remainder a - q (1 + e), which makes up for rounding 1 + e as well.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> sigmoid(const Pack<T, W>& x) {
  const Pack<T, W> e = exp(-abs(x)), a = select(x < 0, e, Pack<T, W>(1));
  const Pack<T, W> inverse = detail::inverse(1 + e), q = a * inverse;
  return fma(fma(-q, e, a - q), inverse, q);
}
/// x · sigmoid(x), 0 at -inf: the quotient of `sigmoid`, with exp(x) = 2^n m on top below zero, where 2^n
/// comes in last: the result is right also where exp(x) alone is subnormal.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> silu(const Pack<T, W>& x) {
  const Pack<T, W> lowest = T(1.1) * detail::Series<T>::exp_min;  // x · exp(x) is 0 from here on
  const auto r = detail::reduce_exponent(max(lowest, -abs(x)));
  const Pack<T, W> m = r.tail + 1, e = detail::times_power_of_two(m, r.n), inverse = detail::inverse(1 + e);
  const auto below = x < 0;
  const Pack<T, W> a = select(below, max(lowest, x) * m, x), q = a * inverse;
  const Pack<T, W> corrected = fma(fma(-q, e, a - q), inverse, q);
  return detail::times_power_of_two(select(x < infinity<T>, corrected, q), select(below, r.n, Pack<T, W>(0)));
}
/// log(sigmoid(x)) = min(x, 0) - log1p(exp(-|x|)).
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> log_sigmoid(const Pack<T, W>& x) {
  return min(Pack<T, W>(0), x) - detail::log1p_of_fraction(exp(-abs(x)));
}
/// log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)).
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> softplus(const Pack<T, W>& x) {
  return max(Pack<T, W>(0), x) + detail::log1p_of_fraction(exp(-abs(x)));
}
/// log(1 + exp(βx)) / β. Far above zero that is x, also where βx overflows; below it falls like exp(βx), in
/// which what rounding βx lost counts.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> softplus(const Pack<T, W>& x, T beta) {
  const Pack<T, W> b = beta, p = b * x, y = softplus(p);
  const auto falls = (p < 0) & (y > 0);
  return select(p > T(40), x, select(falls, fma(y, detail::product_error(b, x, p), y), y) / b);
}

namespace detail {
/// By m = exp(2 |x|) - 1: tanh |x| = m / (m + 2), corrected for what rounding m + 2 lost; 1 / (m + 2) is
/// (1 - tanh |x|) / 2.
template <int W>
XGRAD_SIMD_INLINE Pack<double, W> tanh_of_size(const Pack<double, W>& size) {
  const Pack<double, W> m = expm1(2 * min(Pack<double, W>(20), size));
  const Pack<double, W> d = m + 2, y = m / d;
  const Pack<double, W> lost = select(m < 0x1p40, m - (d - 2), Pack<double, W>(0));
  return fma(y * lost, 0.5 * (y - 1), y);
}
/// With |x| = n ln 2 / 2 + f, u = tanh f and h = 2^n / 2, the addition theorem says
/// tanh |x| = (h - ½ + (h + ½) u) / (h + ½ + (h - ½) u) = 1 + (u - 1) / (h + ½ + (h - ½) u). For n = 0 the
/// first is u itself; from n = 2 on the second is taken, as just below 1 each rounding of the first is worth
/// an ulp. n is the integer nearest to 2 |x| / ln 2 - ¼, so that |x| is no smaller than 0.26 where n is 1 and
/// the roundings of the first count most.
template <int W>
XGRAD_SIMD_INLINE Pack<float, W> tanh_of_size(const Pack<float, W>& size) {
  constexpr float rounder = Series<float>::rounder + (Format<float>::bias - 1);  // low bits: those of h
  const Pack<float, W> x = min(Pack<float, W>(10), size);
  const Pack<float, W> rounded = fma(x, 0x1.715476p1f, Pack<float, W>(-0.25f)) + rounder;
  const Pack<float, W> h = bits<float>(bits<std::int32_t>(rounded) << Format<float>::mantissa_bits);
  const Pack<float, W> f = fma(rounded - rounder, -0x1.62e43p-2f, x), s = f * f;
  const Pack<float, W> u = fma(f * s, polynomial(s, -0x1.555506p-2f, 0x1.10d982p-3f, -0x1.a3afbep-5f), f);
  const Pack<float, W> more = h + 0.5f, less = h - 0.5f;
  const auto large = h >= 2.0f;
  return select(large, Pack<float, W>(1), Pack<float, W>(0)) +
         quotient(select(large, u - 1, fma(more, u, less)), fma(less, u, more));
}
}  // namespace detail

/// The hyperbolic tangent.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> tanh(const Pack<T, W>& x) {
  return copysign(detail::tanh_of_size(abs(x)), x);
}

namespace detail {
/// exp(a) / 2 for a ≥ 0: finite wherever sinh and cosh are.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> half_exp(const Pack<T, W>& a) {
  const auto r = reduce_exponent(min(Pack<T, W>(Series<T>::exp_max + 1), a));
  return times_power_of_two(r.tail + 1, r.n - 1);
}
}  // namespace detail

/// The hyperbolic sine: by m = exp(|x|) - 1 it is (m + m / (m + 1)) / 2.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> sinh(const Pack<T, W>& x) {
  const Pack<T, W> a = abs(x), m = expm1(min(Pack<T, W>(20), a));
  return copysign(select(a > T(20), detail::half_exp(a), T(0.5) * (m + m / (m + 1))), x);
}
/// The hyperbolic cosine: by h = exp(|x|) / 2 it is h + 1 / (4 h).
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> cosh(const Pack<T, W>& x) {
  const Pack<T, W> h = detail::half_exp(abs(x));
  return h + T(0.25) / h;
}

namespace detail {
/// From here on x² + 1 is x², as far as T can see.
template <class T>
inline constexpr T square_alone = T(0x1p28);
template <>
inline constexpr float square_alone<float> = 0x1p13f;
}  // namespace detail

/// The inverse of sinh: log(a + √(a² + 1)) = log1p(a + a² / (1 + √(a² + 1))) for a = |x|.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> asinh(const Pack<T, W>& x) {
  const Pack<T, W> a = abs(x);
  const auto large = a > detail::square_alone<T>;
  const Pack<T, W> s = a * a, w = a + s / (1 + sqrt(s + 1)), u = select(large, a, 1 + w);
  const Pack<T, W> lost = select(large, Pack<T, W>(0), select(w < 1, w - (u - 1), 1 - (u - w)));
  const Pack<T, W> shift = select(large, Pack<T, W>(1), Pack<T, W>(0));
  return select(a == 0, x, copysign(detail::log_of_sum(u, lost, shift), x));
}
/// The inverse of cosh on x ≥ 1, NaN below: log1p(t + √(t (t + 2))) for t = x - 1.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> acosh(const Pack<T, W>& x) {
  const auto large = x > detail::square_alone<T>;
  const Pack<T, W> t = x - 1, w = t + sqrt(t * (t + 2)), u = select(large, x, 1 + w);
  const Pack<T, W> lost = select(large, Pack<T, W>(0), select(w < 1, w - (u - 1), 1 - (u - w)));
  const Pack<T, W> shift = select(large, Pack<T, W>(1), Pack<T, W>(0));
  return select(x < 1, Pack<T, W>(not_a_number<T>), detail::log_of_sum(u, lost, shift));
}
/// The inverse of tanh on [-1, 1], NaN outside: log1p(2a / (1 - a)) / 2 for a = |x|.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> atanh(const Pack<T, W>& x) {
  const Pack<T, W> a = abs(x);
  return copysign(T(0.5) * log1p(2 * a / (1 - a)), x);
}

}  // namespace xgrad::inline v0::simd
