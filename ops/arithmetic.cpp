#include <fmt/core.h>

#include <cmath>
#include <xgrad/core/create.hpp>
#include <xgrad/core/map.hpp>
#include <xgrad/core/op.hpp>
#include <xgrad/ops/constant.hpp>
#include <xgrad/ops/elementwise.hpp>

namespace xgrad::inline v0 {

Tensor Operand::beside(std::string_view op, const Operand& other) const {
  if (tensor_ != nullptr) return *tensor_;
  if (other.tensor_ != nullptr) return detail::constant(op, scalar_, *other.tensor_);
  return Tensor(Array::scalar(scalar_, promote(scalar_.dtype(), other.scalar_.dtype())));
}

namespace {

using detail::constant;

bool both_scalars(const Array& a, const Array& b) {
  return a.rank() == 0 && b.rank() == 0 && a.dtype() == DType::float32 && b.dtype() == DType::float32;
}

std::vector<Sample> binary_samples() {
  return {sample({3, 4}, {3, 4}), sample({3, 4}, {4}), sample({2, 1, 4}, {3, 1}), sample({}, {5}),
          sample({}, {})};
}

/// a - b.   ∂a = 1, ∂b = -1
struct Sub {
  static constexpr std::string_view name = "sub";
  static std::vector<Sample> samples() { return binary_samples(); }
  static long double reference(long double a, long double b) { return a - b; }
  Array forward(const Array& a, const Array& b) const {
    if (both_scalars(a, b)) return Array::scalar(*a.data<float>() - *b.data<float>());
    return map_numeric(
        name, [](auto p, auto q) { return p - q; }, a, b);
  }
  Grads<2> vjp(const Tensor& dy, Needs needs) const { return {dy, needs[1] ? -dy : Tensor()}; }
};

/// a · b.   ∂a = b, ∂b = a
struct Mul {
  static constexpr std::string_view name = "mul";
  static std::vector<Sample> samples() { return binary_samples(); }
  static long double reference(long double a, long double b) { return a * b; }
  Array forward(const Array& a, const Array& b) const {
    if (both_scalars(a, b)) return Array::scalar(*a.data<float>() * *b.data<float>());
    return map_numeric(
        name, [](auto p, auto q) { return p * q; }, a, b);
  }
  Grads<2> vjp(const Tensor& dy, const Tensor& a, const Tensor& b, Needs needs) const {
    return {needs[0] ? dy * b : Tensor(), needs[1] ? dy * a : Tensor()};
  }
};

/// a / b.   ∂a = 1 / b, ∂b = -a / b²
struct Div {
  static constexpr std::string_view name = "div";
  static std::vector<Sample> samples() {
    std::vector<Sample> all;
    for (Sample s : binary_samples()) all.push_back(std::move(s).within(1, 0.5, 3));
    return all;
  }
  static long double reference(long double a, long double b) { return a / b; }
  Array forward(const Array& a, const Array& b) const {
    return map_floating(
        name, [](auto p, auto q) { return p / q; }, a, b);
  }
  Grads<2> vjp(const Tensor& dy, Skip, const Tensor& b, Output y, Needs needs) const {
    const Tensor da = dy / b;
    return {da, needs[1] ? -(da * y) : Tensor()};
  }
};

/// -x.   ∂ = -1
struct Neg {
  static constexpr std::string_view name = "neg";
  static std::vector<Sample> samples() { return {sample({3, 4}), sample({})}; }
  static long double reference(long double x) { return -x; }
  Array forward(const Array& x) const {
    return map_numeric(
        name, [](auto v) { return -v; }, x);
  }
  Tensor vjp(const Tensor& dy) const { return -dy; }
};

/// |x|.   ∂ = sign(x)
struct Abs {
  static constexpr std::string_view name = "abs";
  static std::vector<Sample> samples() { return {sample({3, 4}).avoiding({0})}; }
  static long double reference(long double x) { return std::fabs(x); }
  Array forward(const Array& x) const {
    return map_numeric(
        name, [](auto v) { return abs(v); }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return dy * sign(x); }
};

/// -1, 0 or 1; NaN stays NaN.   ∂ = 0
struct Sign {
  static constexpr std::string_view name = "sign";
  static std::vector<Sample> samples() { return {sample({3, 4}).avoiding({0})}; }
  static long double reference(long double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
  Array forward(const Array& x) const {
    return map_numeric(
        name, [](auto v) { return select(v > 0, decltype(v)(1), select(v < 0, decltype(v)(-1), v)); }, x);
  }
  Tensor vjp(const Tensor&) const { return {}; }
};

/// x².   ∂ = 2x
struct Square {
  static constexpr std::string_view name = "square";
  static std::vector<Sample> samples() { return {sample({3, 4})}; }
  static long double reference(long double x) { return x * x; }
  Array forward(const Array& x) const {
    return map_numeric(
        name, [](auto v) { return v * v; }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const { return dy * (2 * x); }
};

/// 1 / x.   ∂ = -1 / x²
struct Reciprocal {
  static constexpr std::string_view name = "reciprocal";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(0.5, 2)}; }
  static long double reference(long double x) { return 1 / x; }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return 1 / v; }, x);
  }
  Tensor vjp(const Tensor& dy, Output y) const { return -(dy * square(y)); }
};

/// √x.   ∂ = 1 / (2√x)
struct Sqrt {
  static constexpr std::string_view name = "sqrt";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(0.2, 3)}; }
  static long double reference(long double x) { return std::sqrt(x); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return sqrt(v); }, x);
  }
  Tensor vjp(const Tensor& dy, Output y) const { return dy / (2 * y); }
};

/// 1 / √x.   ∂ = -1 / (2 x √x)
struct Rsqrt {
  static constexpr std::string_view name = "rsqrt";
  static std::vector<Sample> samples() { return {sample({3, 4}).within(0.3, 3)}; }
  static long double reference(long double x) { return 1 / std::sqrt(x); }
  Array forward(const Array& x) const {
    return map_floating(
        name, [](auto v) { return rsqrt(v); }, x);
  }
  Tensor vjp(const Tensor& dy, const Tensor& x, Output y) const { return -0.5 * (dy * y / x); }
};

/// f(a, b, op) of integers, one by one, in their common dtype.
template <class F>
Array map_integers(std::string_view op, const F& f, const Array& a0, const Array& b0) {
  const DType t = promote(a0.dtype(), b0.dtype());
  const Shape shape = broadcast_shapes(op, a0.shape(), b0.shape());
  const Array a = a0.astype(t).broadcast_to(shape).contiguous(),
              b = b0.astype(t).broadcast_to(shape).contiguous();
  Array y = Array::empty(shape, t);
  dispatch_numeric(op, t, [&]<class T>() {
    if constexpr (std::is_integral_v<T>) {
      const T *p = a.data<T>(), *q = b.data<T>();
      T* const out = y.mutable_data<T>();
      for (std::int64_t i = 0; i < y.numel(); ++i) out[i] = f(p[i], q[i]);
    }
  });
  return y;
}
bool are_integers(const Array& a, const Array& b) { return is_integer(promote(a.dtype(), b.dtype())); }

/// aᵇ, which wraps around like every product of integers.
template <class T>
T integer_power(T a, T b) {
  if (b < T(0))
    throw ValueError(
        "pow", fmt::format("{} to the power of {} is no integer: convert one of them to float32", a, b));
  using U = std::make_unsigned_t<T>;
  std::uint64_t base = static_cast<std::uint64_t>(static_cast<std::int64_t>(a)), y = 1;
  for (auto n = static_cast<U>(b); n > 0; n = static_cast<U>(n / 2), base *= base)
    if (n % 2 == 1) y *= base;
  return static_cast<T>(y);
}

template <class T>
T integer_remainder(T a, T b) {
  if (b == T(0))
    throw ValueError(
        "fmod", fmt::format("the integer {} is divided by 0: convert one of them to float32, for NaN", a));
  return std::is_signed_v<T> && b == static_cast<T>(-1) ? T(0) : static_cast<T>(a % b);
}

/// xʸ.   ∂x = y xʸ⁻¹, ∂y = xʸ ln x
struct Pow {
  static constexpr std::string_view name = "pow";
  static std::vector<Sample> samples() {
    return {sample({3, 4}, {3, 4}).within(0, 0.3, 2), sample({3, 4}, {4}).within(0, 0.3, 2),
            sample({}, {5}).within(0, 0.3, 2)};
  }
  static long double reference(long double x, long double y) { return std::pow(x, y); }
  Array forward(const Array& x, const Array& y) const {
    if (are_integers(x, y))
      return map_integers(
          name, [](auto p, auto q) { return integer_power(p, q); }, x, y);
    return map_floating(
        name, [](auto p, auto q) { return pow(p, q); }, x, y);
  }
  Grads<2> vjp(const Tensor& dy, const Tensor& x, const Tensor& y, Output z, Needs needs) const {
    Grads<2> g;
    // Where y is 0 the power is constant in x, although y xʸ⁻¹ is 0 · inf at x = 0; where x is 0 and y is
    // positive it is constant in y, although ln x is infinite. `where` inside keeps NaN out of the branch not
    // taken.
    if (needs[0]) g[0] = dy * where(y == 0, 0.0, y * pow(x, where(y == 0, 1.0, y - 1)));
    if (needs[1]) {
      const Tensor still = logical_and(x == 0, y >= 0);
      g[1] = dy * where(still, 0.0, z * log(where(still, 1.0, x)));
    }
    return g;
  }
};

/// The cotangent of the larger (or smaller) of a and b: all to one, half to each of two equal ones.
Grads<2> share(const Tensor& dy, const Tensor& a_wins, const Tensor& tie) {
  const Tensor half = 0.5 * dy;
  return {where(tie, half, where(a_wins, dy, 0.0)), where(tie, half, where(a_wins, 0.0, dy))};
}

/// max(a, b).   ∂ = 1 for the larger, ½ for each of two equal ones
struct Maximum {
  static constexpr std::string_view name = "maximum";
  static std::vector<Sample> samples() {
    return {sample({3, 4}, {3, 4}), sample({3, 4}, {4}), sample({}, {5})};
  }
  static long double reference(long double a, long double b) { return std::isnan(a) || a > b ? a : b; }
  Array forward(const Array& a, const Array& b) const {
    return map_numeric(
        name, [](auto p, auto q) { return maximum(p, q); }, a, b);
  }
  Grads<2> vjp(const Tensor& dy, const Tensor& a, const Tensor& b) const { return share(dy, a > b, a == b); }
};

/// min(a, b).   ∂ = 1 for the smaller, ½ for each of two equal ones
struct Minimum {
  static constexpr std::string_view name = "minimum";
  static std::vector<Sample> samples() {
    return {sample({3, 4}, {3, 4}), sample({3, 4}, {4}), sample({}, {5})};
  }
  static long double reference(long double a, long double b) { return std::isnan(a) || a < b ? a : b; }
  Array forward(const Array& a, const Array& b) const {
    return map_numeric(
        name, [](auto p, auto q) { return minimum(p, q); }, a, b);
  }
  Grads<2> vjp(const Tensor& dy, const Tensor& a, const Tensor& b) const { return share(dy, a < b, a == b); }
};

/// a - b · trunc(a / b).   ∂a = 1, ∂b = -trunc(a / b)
struct Fmod {
  static constexpr std::string_view name = "fmod";
  static std::vector<Sample> samples() {
    return {sample({3, 4}, {3, 4}).within(0, 1.2, 1.9).within(1, 0.95, 1.15),
            sample({3, 4}, {4}).within(0, -1.9, -1.2).within(1, 0.95, 1.15)};
  }
  static long double reference(long double a, long double b) { return std::fmod(a, b); }
  Array forward(const Array& a, const Array& b) const {
    if (are_integers(a, b))
      return map_integers(
          name, [](auto p, auto q) { return integer_remainder(p, q); }, a, b);
    return map_floating(
        name, [](auto p, auto q) { return fmod(p, q); }, a, b);
  }
  Grads<2> vjp(const Tensor& dy, const Tensor& a, const Tensor& b, Needs needs) const {
    if (!needs[1]) return {dy, Tensor()};
    const Tensor ratio = a / b;
    return {dy, -(dy * where(ratio < 0, ceil(ratio), floor(ratio)))};
  }
};

/// x limited to [low, high].   ∂ = 1 inside and on the limits
struct Clip {
  static constexpr std::string_view name = "clip";
  static std::vector<Sample> samples() { return {sample(Clip{-0.5, 0.5}, {3, 4}).avoiding({-0.5, 0.5})}; }
  long double reference(long double x) const {
    return x < low ? static_cast<long double>(low) : x > high ? static_cast<long double>(high) : x;
  }
  Array forward(const Array& x) const {
    const auto fraction = [](double v) { return std::isfinite(v) && v != std::trunc(v); };
    if (is_integer(x.dtype()) && (fraction(low) || fraction(high))) return forward(x.astype(default_dtype()));
    return dispatch_numeric(name, x.dtype(), [&]<class T>() {
      const T lo = limit<T>(low), hi = limit<T>(high);
      return map_elements<T, T>(
          name,
          [lo, hi](auto v) { return select(v < lo, decltype(v)(lo), select(v > hi, decltype(v)(hi), v)); },
          x);
    });
  }
  Tensor vjp(const Tensor& dy, const Tensor& x) const {
    return where(logical_and(x >= low, x <= high), dy, 0.0);
  }

  /// The limit in the array's dtype; infinite ones become the dtype's own.
  template <class T>
  static T limit(double v) {
    if constexpr (std::is_floating_point_v<T>) return static_cast<T>(v);
    constexpr T lowest = std::numeric_limits<T>::lowest(), highest = std::numeric_limits<T>::max();
    return v <= static_cast<double>(lowest)    ? lowest
           : v >= static_cast<double>(highest) ? highest
                                               : static_cast<T>(v);
  }

  double low, high;
};

/// To an integer below, above, or the nearest.   ∂ = 0
struct Floor {
  static constexpr std::string_view name = "floor";
  static std::vector<Sample> samples() {
    return {sample({3, 4}).within(-3, 3).avoiding({-3, -2, -1, 0, 1, 2, 3})};
  }
  static long double reference(long double x) { return std::floor(x); }
  Array forward(const Array& x) const {
    return map_numeric(
        name, [](auto v) { return floor(v); }, x);
  }
  Tensor vjp(const Tensor&) const { return {}; }
};
struct Ceil {
  static constexpr std::string_view name = "ceil";
  static std::vector<Sample> samples() { return Floor::samples(); }
  static long double reference(long double x) { return std::ceil(x); }
  Array forward(const Array& x) const {
    return map_numeric(
        name, [](auto v) { return ceil(v); }, x);
  }
  Tensor vjp(const Tensor&) const { return {}; }
};
struct Round {
  static constexpr std::string_view name = "round";
  static std::vector<Sample> samples() {
    return {sample({3, 4}).within(-3, 3).avoiding({-2.5, -1.5, -0.5, 0.5, 1.5, 2.5})};
  }
  static long double reference(long double x) { return std::nearbyint(x); }
  Array forward(const Array& x) const {
    return map_numeric(
        name, [](auto v) { return round(v); }, x);
  }
  Tensor vjp(const Tensor&) const { return {}; }
};

/// condition ? a : b.   ∂a = condition, ∂b = not condition
struct Where {
  static constexpr std::string_view name = "where";
  static constexpr std::string_view inputs[] = {"condition", "a", "b"};
  static std::vector<Sample> samples() {
    return {sample({3, 4}, {3, 4}, {3, 4}).booleans(0), sample({4}, {3, 4}, {3, 1}).booleans(0),
            sample({3, 1}, {}, {4}).booleans(0)};
  }
  static long double reference(long double c, long double a, long double b) { return c != 0 ? a : b; }
  Array forward(const Array& c, const Array& a0, const Array& b0) const {
    if (c.dtype() != DType::bool_)
      throw DTypeError(
          name, fmt::format("the condition is {}: it must be bool: compare it with something, as in x != 0",
                            xgrad::name(c.dtype())));
    const DType t = promote(a0.dtype(), b0.dtype());
    const Array a = a0.astype(t), b = b0.astype(t);
    if (t == DType::bool_)
      return map_elements<bool, bool, bool, bool>(
          name, [](auto m, auto p, auto q) { return select(m, p, q); }, c, a, b);
    return dispatch_numeric(name, t, [&]<class T>() {
      return map_elements<T, bool, T, T>(
          name, [](auto m, auto p, auto q) { return select(m, p, q); }, c, a, b);
    });
  }
  Grads<3> vjp(const Tensor& dy, const Tensor& c, Skip, Skip, Needs needs) const {
    return {Tensor(), needs[1] ? where(c, dy, 0.0) : Tensor(), needs[2] ? where(c, 0.0, dy) : Tensor()};
  }
};

/// a + w (b - a).   ∂a = 1 - w, ∂b = w, ∂w = b - a
struct Lerp {
  static constexpr std::string_view name = "lerp";
  static constexpr std::string_view inputs[] = {"a", "b", "w"};
  static std::vector<Sample> samples() {
    return {sample({3, 4}, {3, 4}, {3, 4}), sample({3, 4}, {4}, {}), sample({}, {3, 1}, {4})};
  }
  static long double reference(long double a, long double b, long double w) { return a + w * (b - a); }
  Array forward(const Array& a, const Array& b, const Array& w) const {
    return map_floating(
        name, [](auto p, auto q, auto r) { return p + r * (q - p); }, a, b, w);
  }
  Grads<3> vjp(const Tensor& dy, const Tensor& a, const Tensor& b, const Tensor& w, Needs needs) const {
    return {needs[0] ? dy * (1 - w) : Tensor(), needs[1] ? dy * w : Tensor(),
            needs[2] ? dy * (b - a) : Tensor()};
  }
};

}  // namespace

Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
Tensor operator+(const Tensor& a, Scalar b) { return add(a, constant("add", b, a)); }
Tensor operator+(Scalar a, const Tensor& b) { return add(constant("add", a, b), b); }
Tensor operator-(const Tensor& a, const Tensor& b) { return record(Sub{}, a, b); }
Tensor operator-(const Tensor& a, Scalar b) { return record(Sub{}, a, constant(Sub::name, b, a)); }
Tensor operator-(Scalar a, const Tensor& b) { return record(Sub{}, constant(Sub::name, a, b), b); }
Tensor operator*(const Tensor& a, const Tensor& b) { return record(Mul{}, a, b); }
Tensor operator*(const Tensor& a, Scalar b) { return record(Mul{}, a, constant(Mul::name, b, a)); }
Tensor operator*(Scalar a, const Tensor& b) { return record(Mul{}, constant(Mul::name, a, b), b); }
Tensor operator/(const Tensor& a, const Tensor& b) { return record(Div{}, a, b); }
Tensor operator/(const Tensor& a, Scalar b) { return record(Div{}, a, constant(Div::name, b, a)); }
Tensor operator/(Scalar a, const Tensor& b) { return record(Div{}, constant(Div::name, a, b), b); }
Tensor operator-(const Tensor& x) { return record(Neg{}, x); }

Tensor abs(const Tensor& x) { return record(Abs{}, x); }
Tensor sign(const Tensor& x) { return record(Sign{}, x); }
Tensor square(const Tensor& x) { return record(Square{}, x); }
Tensor reciprocal(const Tensor& x) { return record(Reciprocal{}, x); }
Tensor sqrt(const Tensor& x) { return record(Sqrt{}, x); }
Tensor rsqrt(const Tensor& x) { return record(Rsqrt{}, x); }
Tensor pow(const Operand& x, const Operand& y) {
  return record(Pow{}, x.beside(Pow::name, y), y.beside(Pow::name, x));
}
Tensor maximum(const Operand& a, const Operand& b) {
  return record(Maximum{}, a.beside(Maximum::name, b), b.beside(Maximum::name, a));
}
Tensor minimum(const Operand& a, const Operand& b) {
  return record(Minimum{}, a.beside(Minimum::name, b), b.beside(Minimum::name, a));
}
Tensor fmod(const Operand& a, const Operand& b) {
  return record(Fmod{}, a.beside(Fmod::name, b), b.beside(Fmod::name, a));
}
Tensor floor(const Tensor& x) { return record(Floor{}, x); }
Tensor ceil(const Tensor& x) { return record(Ceil{}, x); }
Tensor round(const Tensor& x) { return record(Round{}, x); }
Tensor where(const Tensor& condition, const Operand& a, const Operand& b) {
  return record(Where{}, condition, a.beside(Where::name, b), b.beside(Where::name, a));
}
Tensor lerp(const Tensor& a, const Tensor& b, const Operand& w) {
  return record(Lerp{}, a, b, w.beside(Lerp::name, a));
}

Tensor clip(const Tensor& x, double low, double high) {
  if (!(low <= high))
    throw ValueError("clip", fmt::format("limits {} and {}: low must be at most high, and neither NaN: {}",
                                         low, high, low > high ? "swap them" : "give two numbers"));
  return record(Clip{low, high}, x);
}

Tensor clip(const Tensor& x, const Tensor& low, const Operand& high) {
  return minimum(maximum(x, low), high);
}
Tensor clip(const Tensor& x, double low, const Tensor& high) { return minimum(maximum(x, low), high); }

Tensor& Tensor::operator-=(const Tensor& o) & { return *this = *this - o; }
Tensor& Tensor::operator*=(const Tensor& o) & { return *this = *this * o; }
Tensor& Tensor::operator/=(const Tensor& o) & { return *this = *this / o; }
Tensor& Tensor::operator+=(Scalar s) & { return *this = *this + s; }
Tensor& Tensor::operator-=(Scalar s) & { return *this = *this - s; }
Tensor& Tensor::operator*=(Scalar s) & { return *this = *this * s; }
Tensor& Tensor::operator/=(Scalar s) & { return *this = *this / s; }
Tensor Tensor::sqrt() const { return xgrad::sqrt(*this); }
Tensor Tensor::abs() const { return xgrad::abs(*this); }
Tensor Tensor::square() const { return xgrad::square(*this); }
Tensor Tensor::pow(Scalar exponent) const {
  return record(Pow{}, *this, constant(Pow::name, exponent, *this));
}

}  // namespace xgrad::inline v0
