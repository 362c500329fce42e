#pragma once

/// \file
/// The functions on packs that are one or a few instructions: fma, sqrt, signs, rounding, min and max.

#include <xgrad/ops/kernels/pack.hpp>

namespace xgrad::inline v0::simd {

namespace detail {
// The few operations that vector extensions cannot say. Plain inline, not always_inline: a function with a
// target can only be inlined once everything between it and the driver has been. The templates stand for the
// registers that have none; they are named in branches not taken, and have no body.
template <class P>
P fused(const P& a, const P& b, const P& c);
template <class P>
P root(const P& a);
/// What to_integer rounds to, as x86 numbers it: the nearest with halves to even, down, up, or towards 0.
enum Rounding : int { to_nearest = 0, downwards = 1, upwards = 2, towards_zero = 3 };
template <int How, class P>
P to_integer(const P& a);
template <class P>
P scale(const P& a, const P& n);
template <class P>
P rough_inverse(const P& a);
#if XGRAD_SIMD_X86
[[gnu::target(XGRAD_SIMD_TARGET_V4)]] inline Pack<float, 16> fused(const Pack<float, 16>& a,
                                                                   const Pack<float, 16>& b,
                                                                   const Pack<float, 16>& c) {
  return Pack<float, 16>(__builtin_ia32_vfmaddps512_mask(a.v, b.v, c.v, static_cast<unsigned short>(-1), 4));
}
[[gnu::target(XGRAD_SIMD_TARGET_V4)]] inline Pack<double, 8> fused(const Pack<double, 8>& a,
                                                                   const Pack<double, 8>& b,
                                                                   const Pack<double, 8>& c) {
  return Pack<double, 8>(__builtin_ia32_vfmaddpd512_mask(a.v, b.v, c.v, static_cast<unsigned char>(-1), 4));
}
[[gnu::target(XGRAD_SIMD_TARGET_V3)]] inline Pack<float, 8> fused(const Pack<float, 8>& a,
                                                                  const Pack<float, 8>& b,
                                                                  const Pack<float, 8>& c) {
  return Pack<float, 8>(__builtin_ia32_vfmaddps256(a.v, b.v, c.v));
}
[[gnu::target(XGRAD_SIMD_TARGET_V3)]] inline Pack<double, 4> fused(const Pack<double, 4>& a,
                                                                   const Pack<double, 4>& b,
                                                                   const Pack<double, 4>& c) {
  return Pack<double, 4>(__builtin_ia32_vfmaddpd256(a.v, b.v, c.v));
}
#if defined(__clang__)
#define XGRAD_SIMD_SQRT512(s, a, mask) __builtin_ia32_sqrt##s##512(a, 4)
#else
#define XGRAD_SIMD_SQRT512(s, a, mask) __builtin_ia32_sqrt##s##512_mask(a, a, static_cast<mask>(-1), 4)
#endif
[[gnu::target(XGRAD_SIMD_TARGET_V4)]] inline Pack<float, 16> root(const Pack<float, 16>& a) {
  return Pack<float, 16>(XGRAD_SIMD_SQRT512(ps, a.v, unsigned short));
}
[[gnu::target(XGRAD_SIMD_TARGET_V4)]] inline Pack<double, 8> root(const Pack<double, 8>& a) {
  return Pack<double, 8>(XGRAD_SIMD_SQRT512(pd, a.v, unsigned char));
}
#undef XGRAD_SIMD_SQRT512
[[gnu::target(XGRAD_SIMD_TARGET_V3)]] inline Pack<float, 8> root(const Pack<float, 8>& a) {
  return Pack<float, 8>(__builtin_ia32_sqrtps256(a.v));
}
[[gnu::target(XGRAD_SIMD_TARGET_V3)]] inline Pack<double, 4> root(const Pack<double, 4>& a) {
  return Pack<double, 4>(__builtin_ia32_sqrtpd256(a.v));
}
template <int How>
[[gnu::target(XGRAD_SIMD_TARGET_V4)]] inline Pack<float, 16> to_integer(const Pack<float, 16>& a) {
  return Pack<float, 16>(__builtin_ia32_rndscaleps_mask(a.v, How, a.v, static_cast<unsigned short>(-1), 4));
}
template <int How>
[[gnu::target(XGRAD_SIMD_TARGET_V4)]] inline Pack<double, 8> to_integer(const Pack<double, 8>& a) {
  return Pack<double, 8>(__builtin_ia32_rndscalepd_mask(a.v, How, a.v, static_cast<unsigned char>(-1), 4));
}
template <int How>
[[gnu::target(XGRAD_SIMD_TARGET_V3)]] inline Pack<float, 8> to_integer(const Pack<float, 8>& a) {
  return Pack<float, 8>(__builtin_ia32_roundps256(a.v, How));
}
template <int How>
[[gnu::target(XGRAD_SIMD_TARGET_V3)]] inline Pack<double, 4> to_integer(const Pack<double, 4>& a) {
  return Pack<double, 4>(__builtin_ia32_roundpd256(a.v, How));
}
/// a · 2^n for an integral n, correctly rounded, overflow and subnormal results included.
[[gnu::target(XGRAD_SIMD_TARGET_V4)]] inline Pack<float, 16> scale(const Pack<float, 16>& a,
                                                                   const Pack<float, 16>& n) {
  return Pack<float, 16>(__builtin_ia32_scalefps512_mask(a.v, n.v, a.v, static_cast<unsigned short>(-1), 4));
}
[[gnu::target(XGRAD_SIMD_TARGET_V4)]] inline Pack<double, 8> scale(const Pack<double, 8>& a,
                                                                   const Pack<double, 8>& n) {
  return Pack<double, 8>(__builtin_ia32_scalefpd512_mask(a.v, n.v, a.v, static_cast<unsigned char>(-1), 4));
}
/// 1 / a with an error of at most 2^-14.
[[gnu::target(XGRAD_SIMD_TARGET_V4)]] inline Pack<float, 16> rough_inverse(const Pack<float, 16>& a) {
  return Pack<float, 16>(__builtin_ia32_rcp14ps512_mask(a.v, a.v, static_cast<unsigned short>(-1)));
}
#endif

/// W floats as doubles, in two packs that fill a register each: for what is simplest to get right in double.
template <int W>
struct Doubles {
  Pack<double, W / 2> low, high;
};
#define XGRAD_SIMD_WIDEN(level, attribute)                                                               \
  template <int W, std::size_t... I>                                                                     \
  attribute void widen_##level(Doubles<W>& to, const Pack<float, W>& from, std::index_sequence<I...>) {  \
    using F = typename Pack<float, W / 2>::Lanes;                                                        \
    const F low = __builtin_shufflevector(from.v, from.v, static_cast<int>(I)...);                       \
    const F high = __builtin_shufflevector(from.v, from.v, static_cast<int>(I + sizeof...(I))...);       \
    convert(to.low.v, low);                                                                              \
    convert(to.high.v, high);                                                                            \
  }                                                                                                      \
  template <int W, std::size_t... I>                                                                     \
  attribute void narrow_##level(Pack<float, W>& to, const Doubles<W>& from, std::index_sequence<I...>) { \
    typename Pack<float, W / 2>::Lanes low, high;                                                        \
    convert(low, from.low.v);                                                                            \
    convert(high, from.high.v);                                                                          \
    to.v = __builtin_shufflevector(low, high, static_cast<int>(I)...);                                   \
  }
XGRAD_SIMD_WIDEN(portable, XGRAD_SIMD_INLINE)
#if XGRAD_SIMD_X86
XGRAD_SIMD_WIDEN(v3, [[gnu::target(XGRAD_SIMD_TARGET_V3)]] inline)
XGRAD_SIMD_WIDEN(v4, [[gnu::target(XGRAD_SIMD_TARGET_V4)]] inline)
#endif
#undef XGRAD_SIMD_WIDEN

template <int W>
XGRAD_SIMD_INLINE Doubles<W> widen(const Pack<float, W>& from) {
  constexpr std::make_index_sequence<W / 2> half{};
  Doubles<W> to;
#if XGRAD_SIMD_X86
  if constexpr (W == 16)
    widen_v4(to, from, half);
  else if constexpr (W == 8)
    widen_v3(to, from, half);
  else
#endif
    widen_portable(to, from, half);
  return to;
}
template <int W>
XGRAD_SIMD_INLINE Pack<float, W> narrow(const Doubles<W>& from) {
  constexpr std::make_index_sequence<W> all{};
  Pack<float, W> to;
#if XGRAD_SIMD_X86
  if constexpr (W == 16)
    narrow_v4(to, from, all);
  else if constexpr (W == 8)
    narrow_v3(to, from, all);
  else
#endif
    narrow_portable(to, from, all);
  return to;
}

/// The registers for which the functions above exist.
template <class T, int W>
inline constexpr bool wide_register = XGRAD_SIMD_X86 != 0 && (W * sizeof(T) == 32 || W * sizeof(T) == 64);

template <class T>
struct Format;
template <>
struct Format<float> {
  static constexpr int mantissa_bits = 23, bias = 127;
  static constexpr std::int32_t sign_bit = INT32_MIN, infinity_bits = 0x7f800000;
  static constexpr float integral = 0x1p23f;  // from here on every number is integral
};
template <>
struct Format<double> {
  static constexpr int mantissa_bits = 52, bias = 1023;
  static constexpr std::int64_t sign_bit = INT64_MIN, infinity_bits = 0x7ff0000000000000;
  static constexpr double integral = 0x1p52;
};
}  // namespace detail

template <class T>
inline constexpr T infinity = static_cast<T>(__builtin_inf());
template <class T>
inline constexpr T not_a_number = static_cast<T>(__builtin_nan(""));

/// a · b + c, rounded once where the CPU can (v3 and above).
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> fma(const Pack<T, W>& a, const Pack<T, W>& b,
                                 const std::type_identity_t<Pack<T, W>>& c) {
  if constexpr (std::is_floating_point_v<T> && detail::wide_register<T, W>)
    return detail::fused(a, b, c);
  else
    return a * b + c;
}
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> fma(const Pack<T, W>& a, T b, const std::type_identity_t<Pack<T, W>>& c) {
  return fma(a, Pack<T, W>(b), c);
}

namespace detail {
/// a · b - p for p = a · b as rounded, exactly unless something overflows or is subnormal.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> product_error(const Pack<T, W>& a, const Pack<T, W>& b, const Pack<T, W>& p) {
  if constexpr (wide_register<T, W>) {
    return fma(a, b, -p);
  } else {
    // In halves whose products are exact (Dekker 1971, "A floating-point technique for extending the
    // available precision").
    constexpr Int<T> upper = static_cast<Int<T>>(~Int<T>{0} << ((Format<T>::mantissa_bits + 2) / 2));
    const Pack<T, W> a1 = bits<T>(bits<Int<T>>(a) & upper), a2 = a - a1;
    const Pack<T, W> b1 = bits<T>(bits<Int<T>>(b) & upper), b2 = b - b1;
    return ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2;
  }
}
/// a + b - s for s = a + b as rounded, exactly (Knuth, "The art of computer programming", vol. 2, 4.2.2).
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> sum_error(const Pack<T, W>& a, const Pack<T, W>& b, const Pack<T, W>& s) {
  const Pack<T, W> b_as_added = s - a;
  return (a - (s - b_as_added)) + (b - b_as_added);
}
}  // namespace detail

/// The square root, correctly rounded; NaN below zero.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> sqrt(const Pack<T, W>& a) {
  if constexpr (detail::wide_register<T, W>) {
    return detail::root(a);
#if defined(__x86_64__)
  } else if constexpr (std::is_same_v<Pack<T, W>, Pack<float, 4>>) {
    return Pack<T, W>(__builtin_ia32_sqrtps(a.v));
  } else if constexpr (std::is_same_v<Pack<T, W>, Pack<double, 2>>) {
    return Pack<T, W>(__builtin_ia32_sqrtpd(a.v));
#endif
  } else {
    Pack<T, W> r;
    for (int i = 0; i < W; ++i) r.v[i] = static_cast<T>(__builtin_sqrt(a.v[i]));
    return r;
  }
}

template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> abs(const Pack<T, W>& a) {
  if constexpr (std::is_floating_point_v<T>)
    return bits<T>(bits<Int<T>>(a) & ~detail::Format<T>::sign_bit);
  else if constexpr (std::is_signed_v<T>)
    return select(a < 0, -a, a);
  else
    return a;
}
/// |a| with the sign of s.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> copysign(const Pack<T, W>& a, const Pack<T, W>& s) {
  constexpr Int<T> sign = detail::Format<T>::sign_bit;
  return bits<T>((bits<Int<T>>(a) & ~sign) | (bits<Int<T>>(s) & sign));
}
template <class T, int W>
XGRAD_SIMD_INLINE typename Pack<T, W>::Truth isnan(const Pack<T, W>& a) {
  return a != a;
}
template <class T, int W>
XGRAD_SIMD_INLINE typename Pack<T, W>::Truth isinf(const Pack<T, W>& a) {
  return abs(a) == infinity<T>;
}
template <class T, int W>
XGRAD_SIMD_INLINE typename Pack<T, W>::Truth isfinite(const Pack<T, W>& a) {
  return abs(a) < infinity<T>;
}

namespace detail {
/// a rounded `How`: integers as they are, wide registers by their instruction, others by `steps`.
template <int How, class T, int W, class F>
XGRAD_SIMD_INLINE Pack<T, W> rounded(const Pack<T, W>& a, const F& steps) {
  if constexpr (!std::is_floating_point_v<T>)
    return a;
  else if constexpr (wide_register<T, W>)
    return to_integer<How>(a);
  else
    return steps(a);
}
}  // namespace detail

/// To the nearest integer, halves to the even one. This and the next three keep the sign of a result that is
/// 0.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> round(const Pack<T, W>& a) {
  return detail::rounded<detail::to_nearest>(a, []<class P>(const P& x) XGRAD_SIMD_LAMBDA {
    constexpr auto big = detail::Format<typename P::Scalar>::integral;
    const auto size = abs(x);
    return select(size < big, copysign((size + big) - big, x), x);
  });
}
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> floor(const Pack<T, W>& a) {
  return detail::rounded<detail::downwards>(a, [](const auto& x) XGRAD_SIMD_LAMBDA {
    const auto r = round(x);
    return select(r > x, r - 1, r);
  });
}
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> ceil(const Pack<T, W>& a) {
  return detail::rounded<detail::upwards>(a, [](const auto& x) XGRAD_SIMD_LAMBDA {
    const auto r = round(x);
    return copysign(select(r < x, r + 1, r), x);
  });
}
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> trunc(const Pack<T, W>& a) {
  return detail::rounded<detail::towards_zero>(
      a, [](const auto& x) XGRAD_SIMD_LAMBDA { return copysign(floor(abs(x)), x); });
}
/// -1, 0 or 1; NaN stays NaN.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> sign(const Pack<T, W>& a) {
  const Pack<T, W> positive = select(a > 0, Pack<T, W>(1), a);
  if constexpr (std::is_unsigned_v<T>)
    return positive;
  else
    return select(a < 0, Pack<T, W>(-1), positive);
}
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> square(const Pack<T, W>& a) {
  return a * a;
}
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> reciprocal(const Pack<T, W>& a) {
  return 1 / a;
}
/// max(a, 0); NaN stays NaN.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> relu(const Pack<T, W>& a) {
  return select(a < 0, Pack<T, W>(0), a);
}
/// 1 / sqrt(a).
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> rsqrt(const Pack<T, W>& a) {
  return 1 / sqrt(a);
}

namespace detail {
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> larger(const Pack<T, W>& a, const Pack<T, W>& b) {
  if constexpr (std::is_floating_point_v<T>)
    return select(a != a, a, max(a, b));
  else
    return max(a, b);
}
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> smaller(const Pack<T, W>& a, const Pack<T, W>& b) {
  if constexpr (std::is_floating_point_v<T>)
    return select(a != a, a, min(a, b));
  else
    return min(a, b);
}
}  // namespace detail

// A function of two numbers, either of which may be a C++ scalar.
#define XGRAD_SIMD_BINARY(name, lanes)                                          \
  template <class T, int W>                                                     \
  XGRAD_SIMD_INLINE Pack<T, W> name(const Pack<T, W>& a, const Pack<T, W>& b) { \
    return lanes(a, b);                                                         \
  }                                                                             \
  template <class T, int W, Number S>                                           \
  XGRAD_SIMD_INLINE Pack<T, W> name(const Pack<T, W>& a, S b) {                 \
    return lanes(a, Pack<T, W>(b));                                             \
  }                                                                             \
  template <class T, int W, Number S>                                           \
  XGRAD_SIMD_INLINE Pack<T, W> name(S a, const Pack<T, W>& b) {                 \
    return lanes(Pack<T, W>(a), b);                                             \
  }

/// The larger and the smaller of two; NaN if either is NaN (min and max of pack.hpp do not promise that).
XGRAD_SIMD_BINARY(maximum, detail::larger)
XGRAD_SIMD_BINARY(minimum, detail::smaller)

/// x kept within [lo, hi]; NaN stays NaN.
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> clip(const Pack<T, W>& x, const std::type_identity_t<Pack<T, W>>& lo,
                                  const std::type_identity_t<Pack<T, W>>& hi) {
  return min(hi, max(lo, x));
}

/// `select` under the name that it has for tensors.
template <class M, class A, class B>
XGRAD_SIMD_INLINE auto where(const M& mask, const A& a, const B& b) {
  return select(mask, a, b);
}

}  // namespace xgrad::inline v0::simd
