#include <cmath>
#include <xgrad/core/map.hpp>
#include <xgrad/core/op.hpp>
#include <xgrad/ops/activation_rules.hpp>
#include <xgrad/ops/elementwise.hpp>

namespace xgrad::inline v0 {
namespace {

using detail::TanhRule;

/// ∂ = cos x
struct Sin {
  static constexpr std::string_view name = "sin";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-3, 3)}; }
  static long double reference(long double x) { return std::sin(x); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return sin(v); }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return dy * cos(x); }
};

/// ∂ = -sin x
struct Cos {
  static constexpr std::string_view name = "cos";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-3, 3)}; }
  static long double reference(long double x) { return std::cos(x); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return cos(v); }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return -(dy * sin(x)); }
};

/// ∂ = 1 + tan² x
struct Tan {
  static constexpr std::string_view name = "tan";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-1.2, 1.2)}; }
  static long double reference(long double x) { return std::tan(x); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return tan(v); }, x);
  }
  Tensor vjp(const Tensor& dy, Output y) const { return dy * (1 + square(y)); }
};

/// ∂ = 1 / √(1 - x²)
struct Asin {
  static constexpr std::string_view name = "asin";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-0.8, 0.8)}; }
  static long double reference(long double x) { return std::asin(x); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return asin(v); }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return dy / sqrt(1 - square(x)); }
};

/// ∂ = -1 / √(1 - x²)
struct Acos {
  static constexpr std::string_view name = "acos";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-0.8, 0.8)}; }
  static long double reference(long double x) { return std::acos(x); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return acos(v); }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return -(dy / sqrt(1 - square(x))); }
};

/// ∂ = 1 / (1 + x²)
struct Atan {
  static constexpr std::string_view name = "atan";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-3, 3)}; }
  static long double reference(long double x) { return std::atan(x); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return atan(v); }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return dy / (1 + square(x)); }
};

/// ∂ = cosh x
struct Sinh {
  static constexpr std::string_view name = "sinh";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-2, 2)}; }
  static long double reference(long double x) { return std::sinh(x); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return sinh(v); }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return dy * cosh(x); }
};

/// ∂ = sinh x
struct Cosh {
  static constexpr std::string_view name = "cosh";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-2, 2)}; }
  static long double reference(long double x) { return std::cosh(x); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return cosh(v); }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return dy * sinh(x); }
};

/// ∂ = 1 - tanh² x
struct Tanh {
  static constexpr std::string_view name = "tanh";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-2, 2)}; }
  static long double reference(long double x) { return TanhRule::reference(x); }
  Array forward(const Array& x) const { return map_floating(name, TanhRule::value, x); }
  Tensor vjp(const Tensor& dy, Output y) const { return TanhRule::vjp(dy, y); }
  Array vjp_kernel(Array dy, Output y) const {
    return map_in_place(name, TanhRule::gradient, std::move(dy), y.array());
  }
};

/// ∂ = 1 / √(x² + 1)
struct Asinh {
  static constexpr std::string_view name = "asinh";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-3, 3)}; }
  static long double reference(long double x) { return std::asinh(x); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return asinh(v); }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return dy / sqrt(square(x) + 1); }
};

/// ∂ = 1 / √(x² - 1)
struct Acosh {
  static constexpr std::string_view name = "acosh";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(1.2, 4)}; }
  static long double reference(long double x) { return std::acosh(x); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return acosh(v); }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return dy / sqrt(square(x) - 1); }
};

/// ∂ = 1 / (1 - x²)
struct Atanh {
  static constexpr std::string_view name = "atanh";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(-0.8, 0.8)}; }
  static long double reference(long double x) { return std::atanh(x); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return atanh(v); }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return dy / (1 - square(x)); }
};

/// The angle of the point (x, y).   ∂y = x / (x² + y²), ∂x = -y / (x² + y²)
struct Atan2 {
  static constexpr std::string_view name = "atan2";
  static std::vector<Sample> samples() {
    return {sample({3, 4}, {3, 4}).within(1, 0.3, 2), sample({3, 4}, {4}).within(0, 0.3, 2),
            sample({}, {5}).within(1, 0.3, 2)};
  }
  static long double reference(long double y, long double x) { return std::atan2(y, x); }
  Array forward(const Array& y, const Array& x) const {
    return map_floating(
        name, [](auto p, auto q) { return atan2(p, q); }, y, x);
  }
  Grads<2> vjp(const Tensor& dy, const Tensor& y, const Tensor& x) const {
    const Tensor scaled = dy / (square(x) + square(y));
    return {scaled * x, -(scaled * y)};
  }
};

}  // namespace

Tensor sin(const Tensor& x) { return record(Sin{}, x); }
Tensor cos(const Tensor& x) { return record(Cos{}, x); }
Tensor tan(const Tensor& x) { return record(Tan{}, x); }
Tensor asin(const Tensor& x) { return record(Asin{}, x); }
Tensor acos(const Tensor& x) { return record(Acos{}, x); }
Tensor atan(const Tensor& x) { return record(Atan{}, x); }
Tensor sinh(const Tensor& x) { return record(Sinh{}, x); }
Tensor cosh(const Tensor& x) { return record(Cosh{}, x); }
Tensor tanh(Tensor x) {
  if (detail::end_with(x, Activation::tanh)) return x;
  return record(Tanh{}, x);
}
Tensor asinh(const Tensor& x) { return record(Asinh{}, x); }
Tensor acosh(const Tensor& x) { return record(Acosh{}, x); }
Tensor atanh(const Tensor& x) { return record(Atanh{}, x); }
Tensor atan2(const Operand& y, const Operand& x) {
  return record(Atan2{}, y.beside(Atan2::name, x), x.beside(Atan2::name, y));
}

}  // namespace xgrad::inline v0
