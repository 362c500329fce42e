#pragma once

/// \file
/// Trigonometric functions on packs: float in vector code, double by the C library, lane after lane.

#include <xgrad/ops/kernels/exponential.hpp>
#include <xgrad/ops/kernels/libm.hpp>

namespace xgrad::inline v0::simd {

namespace detail {

/// x = n π/2 + r with |r| ≤ π/4 and a little, as sin r, cos r and n in the low bits of `quadrant`. π/2 is
/// subtracted in double, in two parts of which the first is short enough for n times it to be exact: right to
/// the last bit of float up to |x| = turn_limit.
template <int W>
struct Turn {
  Pack<float, W> sin, cos;
  Pack<std::int32_t, W> quadrant;
};
constexpr float turn_limit = 1e6f;

template <int W>
XGRAD_SIMD_INLINE Turn<W> reduce_turns(const Pack<float, W>& x) {
  constexpr float rounder = Series<float>::rounder;
  const Pack<float, W> rounded = fma(x, 0x1.45f306p-1f, rounder), n = rounded - rounder;
  const auto remainder = [](const auto& wide_x, const auto& wide_n) XGRAD_SIMD_LAMBDA {
    return (wide_x - wide_n * 0x1.921fb544p0) - wide_n * 0x1.0b4611a626331p-34;
  };
  const Doubles<W> dx = widen(x), dn = widen(n);
  const Pack<float, W> r = narrow(Doubles<W>{remainder(dx.low, dn.low), remainder(dx.high, dn.high)});
  const Pack<float, W> s = r * r;
  return {fma(r * s, polynomial(s, -0x1.555556p-3f, 0x1.111166p-7f, -0x1.a04726p-13f, 0x1.76d16cp-19f), r),
          fma(s, fma(s, polynomial(s, 0x1.555544p-5f, -0x1.6c08b6p-10f, 0x1.98fa20p-16f), -0.5f), 1.0f),
          bits<std::int32_t>(rounded)};
}
/// Flips the sign where bit 1 of the quadrant is set.
template <int W>
XGRAD_SIMD_INLINE Pack<float, W> flip(const Pack<float, W>& a, const Pack<std::int32_t, W>& quadrant) {
  return bits<float>(bits<std::int32_t>(a) ^ ((quadrant & 2) << 30));
}
/// The C library's value where |x| is beyond the reduction above.
template <int W>
XGRAD_SIMD_INLINE Pack<float, W> far_turns(Libm f, const Pack<float, W>& x, const Pack<float, W>& near) {
  const auto far = abs(x) > turn_limit;
  if (__builtin_expect(!any(far), 1)) return near;
  return select(far, each_lane(f, select(far, x, Pack<float, W>(0))), near);
}

/// asin(a) for 0 ≤ a ≤ ½.
template <int W>
XGRAD_SIMD_INLINE Pack<float, W> asin_of_small(const Pack<float, W>& a) {
  const Pack<float, W> s = a * a;
  return fma(a * s,
             polynomial(s, 0x1.5555cap-3f, 0x1.330162p-4f, 0x1.748b76p-5f, 0x1.8ba4cp-6f, 0x1.59dd24p-5f), a);
}
/// atan(t) for 0 ≤ t ≤ 1.
template <int W>
XGRAD_SIMD_INLINE Pack<float, W> atan_of_fraction(const Pack<float, W>& t) {
  const Pack<float, W> s = t * t;
  return fma(t * s,
             polynomial(s, -0x1.55553ep-2f, 0x1.9991e4p-3f, -0x1.242086p-3f, 0x1.c08c4ep-4f, -0x1.58091cp-4f,
                        0x1.da2a12p-5f, -0x1.fd7e38p-6f, 0x1.642530p-7f, -0x1.d35b54p-10f),
             t);
}
constexpr float pi = 0x1.921fb6p1f, half_pi = 0x1.921fb6p0f;

}  // namespace detail

template <int W>
XGRAD_SIMD_INLINE Pack<float, W> sin(const Pack<float, W>& x) {
  const auto t = detail::reduce_turns(x);
  const Pack<float, W> near = detail::flip(select((t.quadrant & 1) != 0, t.cos, t.sin), t.quadrant);
  return detail::far_turns(detail::Libm::sin, x, select(x == 0, x, near));
}
template <int W>
XGRAD_SIMD_INLINE Pack<float, W> cos(const Pack<float, W>& x) {
  const auto t = detail::reduce_turns(x);
  const Pack<float, W> near = detail::flip(select((t.quadrant & 1) != 0, t.sin, t.cos), t.quadrant + 1);
  return detail::far_turns(detail::Libm::cos, x, near);
}
template <int W>
XGRAD_SIMD_INLINE Pack<float, W> tan(const Pack<float, W>& x) {
  const auto t = detail::reduce_turns(x);
  const auto odd = (t.quadrant & 1) != 0;
  const Pack<float, W> near = select(odd, -t.cos, t.sin) / select(odd, t.sin, t.cos);
  return detail::far_turns(detail::Libm::tan, x, select(x == 0, x, near));
}
/// NaN outside [-1, 1]. Above ½ by asin(a) = π/2 - 2 asin(√((1 - a) / 2)).
template <int W>
XGRAD_SIMD_INLINE Pack<float, W> asin(const Pack<float, W>& x) {
  const Pack<float, W> a = abs(x);
  const auto upper = a > 0.5f;
  const Pack<float, W> p = detail::asin_of_small(select(upper, sqrt(fma(a, -0.5f, 0.5f)), a));
  return copysign(select(upper, fma(p, -2.0f, detail::half_pi), p), x);
}
/// NaN outside [-1, 1]. acos(x) = π/2 - asin(x), above ½ 2 asin(√((1 - x) / 2)), below -½ π minus that.
template <int W>
XGRAD_SIMD_INLINE Pack<float, W> acos(const Pack<float, W>& x) {
  const Pack<float, W> a = abs(x);
  const auto upper = a > 0.5f;
  const Pack<float, W> p = detail::asin_of_small(select(upper, sqrt(fma(a, -0.5f, 0.5f)), a));
  const Pack<float, W> outer = select(x < 0, fma(p, -2.0f, detail::pi), 2 * p);
  return select(upper, outer, detail::half_pi - copysign(p, x));
}
/// Above 1 by atan(a) = π/2 - atan(1 / a).
template <int W>
XGRAD_SIMD_INLINE Pack<float, W> atan(const Pack<float, W>& x) {
  const Pack<float, W> a = abs(x);
  const auto upper = a > 1;
  const Pack<float, W> p = detail::atan_of_fraction(select(upper, 1 / a, a));
  return copysign(select(upper, detail::half_pi - p, p), x);
}

#define XGRAD_SIMD_LIBM(name)                                        \
  template <int W>                                                   \
  XGRAD_SIMD_INLINE Pack<double, W> name(const Pack<double, W>& x) { \
    return detail::each_lane(detail::Libm::name, x);                 \
  }
XGRAD_SIMD_LIBM(sin)
XGRAD_SIMD_LIBM(cos)
XGRAD_SIMD_LIBM(tan)
XGRAD_SIMD_LIBM(asin)
XGRAD_SIMD_LIBM(acos)
XGRAD_SIMD_LIBM(atan)
#undef XGRAD_SIMD_LIBM

namespace detail {
template <int W>
XGRAD_SIMD_INLINE Pack<float, W> angle(const Pack<float, W>& y, const Pack<float, W>& x) {
  const Pack<float, W> ax = abs(x), ay = abs(y), small = min(ax, ay), large = max(ax, ay);
  // 0 / 0 and inf / inf are 0 and 1 by convention.
  const Pack<float, W> t = select(large == 0, Pack<float, W>(0),
                                  select(small == infinity<float>, Pack<float, W>(1), small / large));
  const Pack<float, W> p = atan_of_fraction(t);
  const Pack<float, W> right = select(ay > ax, half_pi - p, p);
  const Pack<float, W> r = copysign(select(bits<std::int32_t>(x) < 0, pi - right, right), y);
  return select(isnan(x) | isnan(y), x + y, r);
}
template <int W>
XGRAD_SIMD_INLINE Pack<double, W> angle(const Pack<double, W>& y, const Pack<double, W>& x) {
  return each_lane(Libm::atan2, y, x);
}
}  // namespace detail

/// The angle of the point (x, y), in [-π, π].
XGRAD_SIMD_BINARY(atan2, detail::angle)

}  // namespace xgrad::inline v0::simd
