#pragma once

/// \file
/// The error function and powers on packs: float in vector code, double by the C library, lane after lane.

#include <xgrad/ops/kernels/exponential.hpp>
#include <xgrad/ops/kernels/libm.hpp>

namespace xgrad::inline v0::simd {

/// 2/√π ∫₀ˣ exp(-t²) dt: an odd polynomial up to 0.92, above 1 - exp(p(|x|)) where p approximates log(erfc).
template <int W>
XGRAD_SIMD_INLINE Pack<float, W> erf(const Pack<float, W>& x) {
  using detail::polynomial;
  const Pack<float, W> a = abs(x), s = x * x;
  const Pack<float, W> near = fma(a,
                                  polynomial(s, 0x1.06eba6p-3f, -0x1.8126e6p-2f, 0x1.ce1a4cp-4f,
                                             -0x1.b687ecp-6f, 0x1.4721d8p-8f, -0x1.399e76p-11f),
                                  a);
  const Pack<float, W> t = min(Pack<float, W>(4), a);
  const Pack<float, W> p = polynomial(t, -0x1.9a5c2ep-13f, -0x1.20af5ap0f, -0x1.463cbep-1f, -0x1.a9b440p-4f,
                                      0x1.6c2a90p-6f, -0x1.8ee172p-9f, 0x1.9ae884p-13f);
  const auto r = detail::reduce_exponent(p);
  const Pack<float, W> far = 1 - (r.tail + 1) * detail::power_of_two(r.n);
  return copysign(select(a > 0.92f, far, near), x);
}

namespace detail {
/// erfc(x) exp(x²) for 0.45 ≤ x ≤ 10.2, a polynomial in 1 / (1 + x/2), times exp(-x²): in double, to 2^-31.
template <int W>
XGRAD_SIMD_INLINE Pack<double, W> erfc_of_large(const Pack<double, W>& x) {
  const Pack<double, W> t = 1 / fma(x, 0.5, 1.0);
  const auto r = reduce_exponent(-x * x);
  return polynomial(t, 4.5825531397770665e-07, 0.2820820599665089, 0.28223874244817615, 0.24604208001273267,
                    0.17767789638578485, 0.09303044235181375, -0.07814431607797123, 0.1972684489130107,
                    -0.5651931350764564, 0.5993418813471022, -0.2895081969585626, 0.05516643754035832) *
         ((r.tail + 1) * power_of_two(r.n));
}
}  // namespace detail

/// 1 - erf(x), accurate where that is small.
template <int W>
XGRAD_SIMD_INLINE Pack<float, W> erfc(const Pack<float, W>& x) {
  const auto large = x > 0.46f;
  const auto wide = detail::widen(select(large, min(Pack<float, W>(10.2f), x), Pack<float, W>(1)));
  const Pack<float, W> far =
      detail::narrow(detail::Doubles<W>{detail::erfc_of_large(wide.low), detail::erfc_of_large(wide.high)});
  return select(large, far, 1 - erf(x));
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

template <int W>
XGRAD_SIMD_INLINE Pack<double, W> erf(const Pack<double, W>& x) {
  return detail::each_lane(detail::Libm::erf, x);
}
template <int W>
XGRAD_SIMD_INLINE Pack<double, W> erfc(const Pack<double, W>& x) {
  return detail::each_lane(detail::Libm::erfc, x);
}

}  // namespace xgrad::inline v0::simd
