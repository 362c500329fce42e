#include <cmath>
#include <numbers>
#include <xgrad/core/map.hpp>
#include <xgrad/core/op.hpp>
#include <xgrad/ops/elementwise.hpp>

namespace xgrad::inline v0 {
namespace {

constexpr double two_over_root_pi = 2 * std::numbers::inv_sqrtpi;

/// eˣ.   ∂ = eˣ
struct Exp {
  static constexpr std::string_view name = "exp";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-3, 3)}; }
  static long double reference(long double x) { return std::exp(x); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return exp(v); }, x);
  }
  Tensor vjp(const Tensor& dy, Output y) const { return dy * y; }
};

/// eˣ - 1.   ∂ = eˣ
struct Expm1 {
  static constexpr std::string_view name = "expm1";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-2, 2)}; }
  static long double reference(long double x) { return std::expm1(x); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return expm1(v); }, x);
  }
  Tensor vjp(const Tensor& dy, Output y) const { return dy * (y + 1); }
};

/// ln x.   ∂ = 1 / x
struct Log {
  static constexpr std::string_view name = "log";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(0.2, 4)}; }
  static long double reference(long double x) { return std::log(x); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return log(v); }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return dy / x; }
};

/// ln(1 + x).   ∂ = 1 / (1 + x)
struct Log1p {
  static constexpr std::string_view name = "log1p";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-0.8, 4)}; }
  static long double reference(long double x) { return std::log1p(x); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return log1p(v); }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return dy / (1 + x); }
};

/// log₂ x.   ∂ = 1 / (x ln 2)
struct Log2 {
  static constexpr std::string_view name = "log2";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(0.2, 4)}; }
  static long double reference(long double x) { return std::log2(x); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return log2(v); }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return dy / (std::numbers::ln2 * x); }
};

/// log₁₀ x.   ∂ = 1 / (x ln 10)
struct Log10 {
  static constexpr std::string_view name = "log10";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(0.2, 4)}; }
  static long double reference(long double x) { return std::log10(x); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return log10(v); }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return dy / (std::numbers::ln10 * x); }
};

/// 2/√π ∫₀ˣ e^(-t²) dt.   ∂ = 2/√π e^(-x²)
struct Erf {
  static constexpr std::string_view name = "erf";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-2, 2)}; }
  static long double reference(long double x) { return std::erf(x); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return erf(v); }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return dy * (two_over_root_pi * exp(-square(x))); }
};

/// 1 - erf(x).   ∂ = -2/√π e^(-x²)
struct Erfc {
  static constexpr std::string_view name = "erfc";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-2, 2)}; }
  static long double reference(long double x) { return std::erfc(x); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return erfc(v); }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return dy * (-two_over_root_pi * exp(-square(x))); }
};

}  // namespace

Tensor exp(const Tensor& x) { return record(Exp{}, x); }
Tensor expm1(const Tensor& x) { return record(Expm1{}, x); }
Tensor log(const Tensor& x) { return record(Log{}, x); }
Tensor log1p(const Tensor& x) { return record(Log1p{}, x); }
Tensor log2(const Tensor& x) { return record(Log2{}, x); }
Tensor log10(const Tensor& x) { return record(Log10{}, x); }
Tensor erf(const Tensor& x) { return record(Erf{}, x); }
Tensor erfc(const Tensor& x) { return record(Erfc{}, x); }

Tensor Tensor::exp() const { return xgrad::exp(*this); }
Tensor Tensor::log() const { return xgrad::log(*this); }

}  // namespace xgrad::inline v0
