#pragma once

/// \file
/// The C library's functions on the lanes of a pack, one after the other: for functions and arguments that
/// are too rare to deserve vector code.

#include <xgrad/ops/kernels/pack.hpp>

namespace xgrad::inline v0::simd::detail {

enum class Libm {
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  asinh,
  acosh,
  atanh,
  log1p,
  log2,
  log10,
  erf,
  erfc,
  pow,
  atan2,
  fmod
};

/// x[i] = f(x[i]), or f(x[i], y[i]) for the functions of two arguments; float is computed in double.
[[gnu::visibility("default")]] void libm(Libm f, float* x, const float* y, int n) noexcept;
[[gnu::visibility("default")]] void libm(Libm f, double* x, const double* y, int n) noexcept;

template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> each_lane(Libm f, const Pack<T, W>& a) {
  T lanes[W];
  a.store(lanes);
  libm(f, lanes, nullptr, W);
  return Pack<T, W>::load(lanes);
}
template <class T, int W>
XGRAD_SIMD_INLINE Pack<T, W> each_lane(Libm f, const Pack<T, W>& a, const Pack<T, W>& b) {
  T lanes[W];
  T others[W];
  a.store(lanes);
  b.store(others);
  libm(f, lanes, others, W);
  return Pack<T, W>::load(lanes);
}

}  // namespace xgrad::inline v0::simd::detail
