#pragma once
#include <xgrad/core/accumulate.hpp>
#include <xgrad/core/tensor.hpp>

/// Elementwise operations. Operands broadcast by NumPy's rule and are promoted to one dtype; a C++ number
/// takes the tensor's dtype within its kind. Functions with floating results convert integers to the default
/// dtype. Results keep the dense stride order of their inputs. Each throws ShapeError when shapes do not
/// broadcast and DTypeError for bool where it needs numbers. ∂ denotes the derivative by which the cotangent
/// is multiplied.
namespace xgrad::inline v0 {

/// An operand: a tensor, or a C++ number beside one.
class Operand {
 public:
  Operand(const Tensor& t) : tensor_(&t), scalar_(0) {}
  template <class T>
  requires(std::is_arithmetic_v<T> && !std::same_as<T, char>) Operand(T v) : tensor_(nullptr), scalar_(v) {}

  /// As a tensor: a number becomes 0-d, of the dtype that it has beside `other`. Throws ValueError naming
  /// `op` when that dtype does not have the number.
  Tensor beside(std::string_view op, const Operand& other) const;
  bool is_tensor() const { return tensor_ != nullptr; }

 private:
  const Tensor* tensor_;
  Scalar scalar_;
};

// ---- arithmetic -------------------------------------------------------------------------------------------

/// a + b.   ∂a = 1, ∂b = 1
Tensor operator+(const Tensor& a, const Tensor& b);
Tensor operator+(const Tensor& a, Scalar b);
Tensor operator+(Scalar a, const Tensor& b);
/// a - b.   ∂a = 1, ∂b = -1
Tensor operator-(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a, Scalar b);
Tensor operator-(Scalar a, const Tensor& b);
/// a · b.   ∂a = b, ∂b = a
Tensor operator*(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, Scalar b);
Tensor operator*(Scalar a, const Tensor& b);
/// a / b, floating: integers give the default dtype.   ∂a = 1 / b, ∂b = -a / b²
Tensor operator/(const Tensor& a, const Tensor& b);
Tensor operator/(const Tensor& a, Scalar b);
Tensor operator/(Scalar a, const Tensor& b);
/// -x.   ∂ = -1
Tensor operator-(const Tensor& x);

inline Tensor add(const Tensor& a, Scalar b) { return a + b; }
inline Tensor add(Scalar a, const Tensor& b) { return a + b; }
inline Tensor sub(const Tensor& a, const Tensor& b) { return a - b; }
inline Tensor sub(const Tensor& a, Scalar b) { return a - b; }
inline Tensor sub(Scalar a, const Tensor& b) { return a - b; }
inline Tensor mul(const Tensor& a, const Tensor& b) { return a * b; }
inline Tensor mul(const Tensor& a, Scalar b) { return a * b; }
inline Tensor mul(Scalar a, const Tensor& b) { return a * b; }
inline Tensor div(const Tensor& a, const Tensor& b) { return a / b; }
inline Tensor div(const Tensor& a, Scalar b) { return a / b; }
inline Tensor div(Scalar a, const Tensor& b) { return a / b; }
inline Tensor neg(const Tensor& x) { return -x; }

/// |x|.   ∂ = sign(x), 0 at 0
Tensor abs(const Tensor& x);
/// -1, 0 or 1.   ∂ = 0
Tensor sign(const Tensor& x);
/// x².   ∂ = 2x
Tensor square(const Tensor& x);
/// 1 / x, floating.   ∂ = -1 / x²
Tensor reciprocal(const Tensor& x);
/// √x, floating; NaN below 0.   ∂ = 1 / (2√x), infinite at 0
Tensor sqrt(const Tensor& x);
/// 1 / √x, floating.   ∂ = -1 / (2 x √x)
Tensor rsqrt(const Tensor& x);
/// xʸ as C's pow: pow(0, 0) = 1, NaN for a negative base with a fractional exponent. Integers give integers
/// and wrap around; throws ValueError for a negative exponent among them. ∂x = y xʸ⁻¹, 0 where y is 0; ∂y =
/// xʸ ln x, 0 where x is 0 and y ≥ 0
Tensor pow(const Operand& x, const Operand& y);
/// The larger; NaN if either is.   ∂ = 1 for the larger, ½ for each of two equal ones
Tensor maximum(const Operand& a, const Operand& b);
/// The smaller; NaN if either is.   ∂ = 1 for the smaller, ½ for each of two equal ones
Tensor minimum(const Operand& a, const Operand& b);
/// The remainder of a / b with the sign of a, as C's fmod. Integers give integers; throws ValueError for one
/// that is divided by 0.   ∂a = 1, ∂b = -trunc(a / b)
Tensor fmod(const Operand& a, const Operand& b);
/// x limited to [low, high], either of which may be infinite. Integers stay integers unless a limit has a
/// fraction.   ∂ = 1 inside and on the limits, 0 outside. Throws ValueError unless low ≤ high.
Tensor clip(const Tensor& x, double low, double high);
/// minimum(maximum(x, low), high), with a limit for each element: value, dtype and gradient are theirs.
Tensor clip(const Tensor& x, const Tensor& low, const Operand& high);
Tensor clip(const Tensor& x, double low, const Tensor& high);
/// The next integer below, above, or nearest (halves to even), in x's dtype.   ∂ = 0
Tensor floor(const Tensor& x);
Tensor ceil(const Tensor& x);
Tensor round(const Tensor& x);
/// a where `condition` is true, b elsewhere.   ∂a = condition, ∂b = not condition: the branch that was not
/// taken gets exactly 0, though its own derivative may be infinite or NaN further up. Throws DTypeError
/// unless bool.
Tensor where(const Tensor& condition, const Operand& a, const Operand& b);
/// a + w (b - a).   ∂a = 1 - w, ∂b = w, ∂w = b - a
Tensor lerp(const Tensor& a, const Tensor& b, const Operand& w);

// ---- exponentials and logarithms, floating ----------------------------------------------------------------

/// eˣ.   ∂ = eˣ
Tensor exp(const Tensor& x);
/// eˣ - 1, accurate near 0.   ∂ = eˣ
Tensor expm1(const Tensor& x);
/// ln x; -inf at 0, NaN below.   ∂ = 1 / x
Tensor log(const Tensor& x);
/// ln(1 + x), accurate near 0.   ∂ = 1 / (1 + x)
Tensor log1p(const Tensor& x);
/// The logarithm to base 2 and to base 10.   ∂ = 1 / (x ln 2), 1 / (x ln 10)
Tensor log2(const Tensor& x);
Tensor log10(const Tensor& x);

// ---- trigonometric and hyperbolic functions, floating, in radians -----------------------------------------

/// ∂ = cos x
Tensor sin(const Tensor& x);
/// ∂ = -sin x
Tensor cos(const Tensor& x);
/// ∂ = 1 + tan² x
Tensor tan(const Tensor& x);
/// ∂ = 1 / √(1 - x²)
Tensor asin(const Tensor& x);
/// ∂ = -1 / √(1 - x²)
Tensor acos(const Tensor& x);
/// ∂ = 1 / (1 + x²)
Tensor atan(const Tensor& x);
/// The angle of the point (x, y) in (-π, π].   ∂y = x / (x² + y²), ∂x = -y / (x² + y²)
Tensor atan2(const Operand& y, const Operand& x);
/// ∂ = cosh x
Tensor sinh(const Tensor& x);
/// ∂ = sinh x
Tensor cosh(const Tensor& x);
/// ∂ = 1 - tanh² x
Tensor tanh(Tensor x);
/// ∂ = 1 / √(x² + 1)
Tensor asinh(const Tensor& x);
/// ∂ = 1 / √(x² - 1)
Tensor acosh(const Tensor& x);
/// ∂ = 1 / (1 - x²)
Tensor atanh(const Tensor& x);
/// 2/√π ∫₀ˣ e^(-t²) dt.   ∂ = 2/√π e^(-x²)
Tensor erf(const Tensor& x);
/// 1 - erf(x), accurate where that is small.   ∂ = -2/√π e^(-x²)
Tensor erfc(const Tensor& x);

// ---- comparisons and logic: bool results, no gradient -----------------------------------------------------

Tensor operator<(const Tensor& a, const Tensor& b);
Tensor operator<(const Tensor& a, Scalar b);
Tensor operator<(Scalar a, const Tensor& b);
Tensor operator<=(const Tensor& a, const Tensor& b);
Tensor operator<=(const Tensor& a, Scalar b);
Tensor operator<=(Scalar a, const Tensor& b);
Tensor operator>(const Tensor& a, const Tensor& b);
Tensor operator>(const Tensor& a, Scalar b);
Tensor operator>(Scalar a, const Tensor& b);
Tensor operator>=(const Tensor& a, const Tensor& b);
Tensor operator>=(const Tensor& a, Scalar b);
Tensor operator>=(Scalar a, const Tensor& b);
Tensor operator==(const Tensor& a, const Tensor& b);
Tensor operator==(const Tensor& a, Scalar b);
Tensor operator==(Scalar a, const Tensor& b);
Tensor operator!=(const Tensor& a, const Tensor& b);
Tensor operator!=(const Tensor& a, Scalar b);
Tensor operator!=(Scalar a, const Tensor& b);
/// Of truth values: a number is true unless it is 0.
Tensor logical_and(const Tensor& a, const Tensor& b);
Tensor logical_or(const Tensor& a, const Tensor& b);
Tensor logical_xor(const Tensor& a, const Tensor& b);
Tensor logical_not(const Tensor& x);
Tensor isnan(const Tensor& x);
Tensor isinf(const Tensor& x);
Tensor isfinite(const Tensor& x);

}  // namespace xgrad::inline v0
