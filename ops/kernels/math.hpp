#pragma once

/// \file
/// The elementary functions on packs of float and double, and on plain numbers.
///
/// Errors are at most 2 ulp for exp, log, tanh, sigmoid, erf and pow, at most 4 for the rest, at every level
/// and for every argument: subnormals, infinities and NaN included (tests/ops/accuracy.cpp). Coefficients
/// are minimax fits in the relative error of the result, rounded to the type one after the other, from the
/// lowest power.

#include <xgrad/ops/kernels/exponential.hpp>
#include <xgrad/ops/kernels/special.hpp>
#include <xgrad/ops/kernels/trigonometric.hpp>

namespace xgrad::inline v0::simd {

// ---- plain scalars: one lane of the narrowest pack --------------------------------------------------------

#define XGRAD_SIMD_SCALAR(name)                                     \
  inline float name(float x) { return name(Pack<float, 4>(x))[0]; } \
  inline double name(double x) { return name(Pack<double, 2>(x))[0]; }
XGRAD_SIMD_SCALAR(abs)
XGRAD_SIMD_SCALAR(sqrt)
XGRAD_SIMD_SCALAR(rsqrt)
XGRAD_SIMD_SCALAR(reciprocal)
XGRAD_SIMD_SCALAR(square)
XGRAD_SIMD_SCALAR(relu)
XGRAD_SIMD_SCALAR(sign)
XGRAD_SIMD_SCALAR(round)
XGRAD_SIMD_SCALAR(floor)
XGRAD_SIMD_SCALAR(ceil)
XGRAD_SIMD_SCALAR(trunc)
XGRAD_SIMD_SCALAR(exp)
XGRAD_SIMD_SCALAR(expm1)
XGRAD_SIMD_SCALAR(log)
XGRAD_SIMD_SCALAR(log2)
XGRAD_SIMD_SCALAR(log10)
XGRAD_SIMD_SCALAR(log1p)
XGRAD_SIMD_SCALAR(sigmoid)
XGRAD_SIMD_SCALAR(silu)
XGRAD_SIMD_SCALAR(log_sigmoid)
XGRAD_SIMD_SCALAR(softplus)
XGRAD_SIMD_SCALAR(sin)
XGRAD_SIMD_SCALAR(cos)
XGRAD_SIMD_SCALAR(tan)
XGRAD_SIMD_SCALAR(asin)
XGRAD_SIMD_SCALAR(acos)
XGRAD_SIMD_SCALAR(atan)
XGRAD_SIMD_SCALAR(sinh)
XGRAD_SIMD_SCALAR(cosh)
XGRAD_SIMD_SCALAR(tanh)
XGRAD_SIMD_SCALAR(asinh)
XGRAD_SIMD_SCALAR(acosh)
XGRAD_SIMD_SCALAR(atanh)
XGRAD_SIMD_SCALAR(erf)
XGRAD_SIMD_SCALAR(erfc)
#undef XGRAD_SIMD_SCALAR
#define XGRAD_SIMD_SCALAR(name)                                                                 \
  inline float name(float a, float b) { return name(Pack<float, 4>(a), Pack<float, 4>(b))[0]; } \
  inline double name(double a, double b) { return name(Pack<double, 2>(a), Pack<double, 2>(b))[0]; }
XGRAD_SIMD_SCALAR(pow)
XGRAD_SIMD_SCALAR(atan2)
XGRAD_SIMD_SCALAR(maximum)
XGRAD_SIMD_SCALAR(minimum)
XGRAD_SIMD_SCALAR(copysign)
#undef XGRAD_SIMD_SCALAR
inline bool isnan(float x) { return x != x; }
inline bool isnan(double x) { return x != x; }
#undef XGRAD_SIMD_BINARY

}  // namespace xgrad::inline v0::simd
