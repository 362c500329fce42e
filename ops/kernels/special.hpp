#pragma once

/// \file
/// The error function, powers and remainders on packs: float in vector code, double by the C library, lane
/// after lane.

#include <xgrad/ops/kernels/exponential.hpp>
#include <xgrad/ops/kernels/libm.hpp>

namespace xgrad::inline v0::simd {

/// 2/√π ∫₀ˣ exp(-t²) dt: an odd polynomial up to 0.92, above 1 - exp(p(|x|)) where p approximates log(erfc).
template <int W>
XGRAD_SIMD_INLINE Pack<float, W> erf(const Pack<float, W>& x) {
  using detail::polynomial, detail::polynomial_in_pairs;
  const Pack<float, W> a = abs(x), s = x * x;
  const Pack<float, W> near = fma(a,
                                  polynomial(s, 0x1.06eba6p-3f, -0x1.8126e6p-2f, 0x1.ce1a4cp-4f,
                                             -0x1.b687ecp-6f, 0x1.4721d8p-8f, -0x1.399e76p-11f),
                                  a);
  const Pack<float, W> t = min(Pack<float, W>(4), a);
  const Pack<float, W> p =
      polynomial_in_pairs(t, t * t, -0x1.9a5c2ep-13f, -0x1.20af5ap0f, -0x1.463cbep-1f, -0x1.a9b440p-4f,
                          0x1.6c2a90p-6f, -0x1.8ee172p-9f, 0x1.9ae884p-13f);
  const auto r = detail::reduce_exponent(p);
  const Pack<float, W> far = 1 - (r.tail + 1) * detail::power_of_two(r.n);
  return copysign(select(a > 0.92f, far, near), x);
}

namespace detail {
/// log2(x) to 2^-38 for positive finite x that came from a float.
template <int W>
XGRAD_SIMD_INLINE Pack<double, W> log2_of_float(const Pack<double, W>& x) {
  const auto s = split_mantissa(x, false);
  return fma(s.f,
             polynomial(s.f, 1.4426950408862032, -0.7213475203430816, 0.480898349072857, -0.36067378977216785,
                        0.28853876232472836, -0.24044662669636552, 0.20610869539440826, -0.1804326875048456,
                        0.16018226203215385, -0.14252337973469306, 0.13062886296313037, -0.1347893963889418,
                        0.13113771062310958, -0.06806301842430788),
             s.e);
}
/// 2^t to 2^-28.
template <int W>
XGRAD_SIMD_INLINE Pack<double, W> exp2_for_float(const Pack<double, W>& t) {
  const Pack<double, W> x = clip(t, -200.0, 200.0), n = round_by_adding(x), f = x - n;
  return polynomial(f, 1.0, 0.6931472068602362, 0.24022650923651495, 0.055503268911533885,
                    0.009618056388057775, 0.0013400562264223321, 0.00015461560778872135) *
         power_of_two(n);
}
}  // namespace detail

namespace detail {
/// erfc(x) for 0 ≤ x ≤ 10.2: exp(-x²) times a polynomial in 1 / (1 + x/2), in double to 2^-28.
template <int W>
XGRAD_SIMD_INLINE Pack<double, W> erfc_of_size(const Pack<double, W>& x) {
  const Pack<double, W> t = 1 / fma(x, 0.5, 1.0);
  return polynomial(t, -5.882121393928792e-07, 0.2821170557025735, 0.2817186866906769, 0.2505838848913149,
                    0.15170417691473623, 0.19557471019500539, -0.36499335403859673, 0.7707414813238139,
                    -1.3793922556117209, 1.4009537829288015, -0.8096696171976638, 0.25516254647783626,
                    -0.034500510140035245) *
         exp2_for_float(x * x * -0x1.71547652b82fep0);
}
}  // namespace detail

/// 1 - erf(x), accurate where that is small.
template <int W>
XGRAD_SIMD_INLINE Pack<float, W> erfc(const Pack<float, W>& x) {
  const auto size = detail::widen(min(Pack<float, W>(10.2f), abs(x)));
  const Pack<float, W> right =
      detail::narrow(detail::Doubles<W>{detail::erfc_of_size(size.low), detail::erfc_of_size(size.high)});
  return select(x < 0, 2 - right, right);
}

namespace detail {
template <int W>
XGRAD_SIMD_INLINE Pack<float, W> power(const Pack<float, W>& a, const Pack<float, W>& b) {
  using P = Pack<float, W>;
  constexpr float inf = infinity<float>;
  const P size = abs(a);
  const auto base = widen(size), exponent = widen(b);
  P p = narrow(Doubles<W>{exp2_for_float(exponent.low * log2_of_float(base.low)),
                          exp2_for_float(exponent.high * log2_of_float(base.high))});
  p = select(size == 0, select(b < 0, P(inf), P(0)), p);
  p = select(size == inf, select(b < 0, P(0), P(inf)), p);
  // Below zero: the sign alternates with an integral exponent (from 2^24 on all are even), other powers are
  // NaN.
  const P half = b * 0.5f;
  const auto integral = round(b) == b, odd = integral & (round(half) != half) & (abs(b) < 0x1p24f);
  p = select((a < 0) & !integral & (size < inf), P(not_a_number<float>), p);
  p = select((bits<std::int32_t>(a) < 0) & odd, -p, p);
  p = select(isnan(a) | isnan(b), a + b, p);
  // |a| to an infinite power, which log(a) · b cannot tell when log(a) is 0; and the two rules without
  // exceptions.
  p = select((size == 1) & (abs(b) == inf), P(1), p);
  return select((a == 1) | (b == 0), P(1), p);
}
template <int W>
XGRAD_SIMD_INLINE Pack<double, W> power(const Pack<double, W>& a, const Pack<double, W>& b) {
  return each_lane(Libm::pow, a, b);
}
}  // namespace detail

/// a to the power b, with C's special values: pow(x, 0) = pow(1, y) = 1 even for NaN.
XGRAD_SIMD_BINARY(pow, detail::power)

namespace detail {
/// Exact, as C's: a quotient below 2^22 rounds to its integral part or to one more, and fma takes the rest
/// from that without rounding. Larger quotients, and infinite ones, are rare.
template <int W>
XGRAD_SIMD_INLINE Pack<float, W> remainder(const Pack<float, W>& a, const Pack<float, W>& b) {
  if constexpr (wide_register<float, W>) {
    using P = Pack<float, W>;
    const P p = abs(a), q = abs(b), ratio = p / q, nearest = round_by_adding(ratio);
    const P n = nearest - select(nearest > ratio, P(1), P(0)), r = fma(-n, q, p);
    const P rest = copysign(r + select(r < 0, q, P(0)), a);
    const auto far = !((ratio < 0x1p22f) & (q < infinity<float>));
    if (__builtin_expect(!any(far), 1)) return rest;
    return select(far, each_lane(Libm::fmod, a, b), rest);
  } else {
    return each_lane(Libm::fmod, a, b);
  }
}
template <int W>
XGRAD_SIMD_INLINE Pack<double, W> remainder(const Pack<double, W>& a, const Pack<double, W>& b) {
  return each_lane(Libm::fmod, a, b);
}
}  // namespace detail

/// a - b · trunc(a / b), with the sign of a, exactly.
XGRAD_SIMD_BINARY(fmod, detail::remainder)

template <int W>
XGRAD_SIMD_INLINE Pack<double, W> erf(const Pack<double, W>& x) {
  return detail::each_lane(detail::Libm::erf, x);
}
template <int W>
XGRAD_SIMD_INLINE Pack<double, W> erfc(const Pack<double, W>& x) {
  return detail::each_lane(detail::Libm::erfc, x);
}

}  // namespace xgrad::inline v0::simd
