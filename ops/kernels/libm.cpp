#include <xgrad/ops/kernels/libm.hpp>

#include <cmath>

namespace xgrad::inline v0::simd::detail {

namespace {
double apply(Libm f, double x, double y) {
  switch (f) {
    case Libm::sin:
      return std::sin(x);
    case Libm::cos:
      return std::cos(x);
    case Libm::tan:
      return std::tan(x);
    case Libm::asin:
      return std::asin(x);
    case Libm::acos:
      return std::acos(x);
    case Libm::atan:
      return std::atan(x);
    case Libm::sinh:
      return std::sinh(x);
    case Libm::cosh:
      return std::cosh(x);
    case Libm::asinh:
      return std::asinh(x);
    case Libm::acosh:
      return std::acosh(x);
    case Libm::atanh:
      return std::atanh(x);
    case Libm::log1p:
      return std::log1p(x);
    case Libm::log2:
      return std::log2(x);
    case Libm::log10:
      return std::log10(x);
    case Libm::erf:
      return std::erf(x);
    case Libm::erfc:
      return std::erfc(x);
    case Libm::pow:
      return std::pow(x, y);
    case Libm::atan2:
      return std::atan2(x, y);
    case Libm::fmod:
      return std::fmod(x, y);
  }
  return x;
}

template <class T>
void each(Libm f, T* x, const T* y, int n) {
  for (int i = 0; i < n; ++i) x[i] = static_cast<T>(apply(f, x[i], y == nullptr ? T{} : y[i]));
}
}  // namespace

void libm(Libm f, float* x, const float* y, int n) noexcept { each(f, x, y, n); }
void libm(Libm f, double* x, const double* y, int n) noexcept { each(f, x, y, n); }

}  // namespace xgrad::inline v0::simd::detail
