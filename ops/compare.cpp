#include <cmath>
#include <xgrad/core/map.hpp>
#include <xgrad/core/op.hpp>
#include <xgrad/ops/constant.hpp>
#include <xgrad/ops/elementwise.hpp>

namespace xgrad::inline v0 {
namespace {

using detail::constant;

std::vector<Sample> samples_of_two() {
  return {sample({3, 4}, {3, 4}), sample({3, 4}, {4}), sample({}, {5}),
          sample({3, 4}, {3, 1}).integers(0, -2, 2).integers(1, -2, 2)};
}

/// f of truth values; numbers that are not 0 are true. Bools are read as they are.
template <class F, class... A>
Array map_truths(std::string_view op, const F& f, const A&... a) {
  if (((a.dtype() == DType::bool_) && ...))
    return map_elements<bool, std::conditional_t<true, bool, A>...>(op, f, a...);
  return map_to_bool(
      op, [f](const auto&... p) { return f((p != 0)...); }, a...);
}

struct Less {
  static constexpr std::string_view name = "less";
  static constexpr bool differentiable = false;
  static std::vector<Sample> samples() { return samples_of_two(); }
  static long double reference(long double a, long double b) { return a < b; }
  Array forward(const Array& a, const Array& b) const {
    return map_to_bool(
        name, [](auto p, auto q) { return p < q; }, a, b);
  }
};

struct LessEqual {
  static constexpr std::string_view name = "less_equal";
  static constexpr bool differentiable = false;
  static std::vector<Sample> samples() { return samples_of_two(); }
  static long double reference(long double a, long double b) { return a <= b; }
  Array forward(const Array& a, const Array& b) const {
    return map_to_bool(
        name, [](auto p, auto q) { return p <= q; }, a, b);
  }
};

struct Greater {
  static constexpr std::string_view name = "greater";
  static constexpr bool differentiable = false;
  static std::vector<Sample> samples() { return samples_of_two(); }
  static long double reference(long double a, long double b) { return a > b; }
  Array forward(const Array& a, const Array& b) const {
    return map_to_bool(
        name, [](auto p, auto q) { return p > q; }, a, b);
  }
};

struct GreaterEqual {
  static constexpr std::string_view name = "greater_equal";
  static constexpr bool differentiable = false;
  static std::vector<Sample> samples() { return samples_of_two(); }
  static long double reference(long double a, long double b) { return a >= b; }
  Array forward(const Array& a, const Array& b) const {
    return map_to_bool(
        name, [](auto p, auto q) { return p >= q; }, a, b);
  }
};

struct Equal {
  static constexpr std::string_view name = "equal";
  static constexpr bool differentiable = false;
  static std::vector<Sample> samples() { return samples_of_two(); }
  static long double reference(long double a, long double b) { return a == b; }
  Array forward(const Array& a, const Array& b) const {
    return map_to_bool(
        name, [](auto p, auto q) { return p == q; }, a, b);
  }
};

struct NotEqual {
  static constexpr std::string_view name = "not_equal";
  static constexpr bool differentiable = false;
  static std::vector<Sample> samples() { return samples_of_two(); }
  static long double reference(long double a, long double b) { return a != b; }
  Array forward(const Array& a, const Array& b) const {
    return map_to_bool(
        name, [](auto p, auto q) { return p != q; }, a, b);
  }
};

struct LogicalAnd {
  static constexpr std::string_view name = "logical_and";
  static constexpr bool differentiable = false;
  static std::vector<Sample> samples() {
    return {sample({3, 4}, {4}).booleans(0).booleans(1),
            sample({3, 4}, {3, 1}).integers(0, -1, 2).integers(1, -1, 2)};
  }
  static long double reference(long double a, long double b) { return a != 0 && b != 0; }
  Array forward(const Array& a, const Array& b) const {
    return map_truths(
        name, [](auto p, auto q) { return p & q; }, a, b);
  }
};

struct LogicalOr {
  static constexpr std::string_view name = "logical_or";
  static constexpr bool differentiable = false;
  static std::vector<Sample> samples() {
    return {sample({3, 4}, {4}).booleans(0).booleans(1),
            sample({3, 4}, {3, 1}).integers(0, -1, 2).integers(1, -1, 2)};
  }
  static long double reference(long double a, long double b) { return a != 0 || b != 0; }
  Array forward(const Array& a, const Array& b) const {
    return map_truths(
        name, [](auto p, auto q) { return p | q; }, a, b);
  }
};

struct LogicalXor {
  static constexpr std::string_view name = "logical_xor";
  static constexpr bool differentiable = false;
  static std::vector<Sample> samples() {
    return {sample({3, 4}, {4}).booleans(0).booleans(1),
            sample({3, 4}, {3, 1}).integers(0, -1, 2).integers(1, -1, 2)};
  }
  static long double reference(long double a, long double b) { return (a != 0) != (b != 0); }
  Array forward(const Array& a, const Array& b) const {
    return map_truths(
        name, [](auto p, auto q) { return p ^ q; }, a, b);
  }
};

struct LogicalNot {
  static constexpr std::string_view name = "logical_not";
  static constexpr bool differentiable = false;
  static std::vector<Sample> samples() {
    return {sample({3, 4}).booleans(0), sample({5}).integers(0, -1, 2)};
  }
  static long double reference(long double x) { return x == 0; }
  Array forward(const Array& x) const {
    return map_truths(
        name, [](auto v) { return !v; }, x);
  }
};

struct IsNan {
  static constexpr std::string_view name = "isnan";
  static constexpr bool differentiable = false;
  static std::vector<Sample> samples() { return {sample({3, 4})}; }
  static long double reference(long double x) { return std::isnan(x); }
  Array forward(const Array& x) const {
    if (!is_floating(x.dtype())) return Array::full(x.shape(), false, DType::bool_);
    return dispatch_floating(name, x.dtype(), [&]<class T>() {
      return map_elements<bool, T>(
          name, [](auto v) { return isnan(v); }, x);
    });
  }
};

struct IsInf {
  static constexpr std::string_view name = "isinf";
  static constexpr bool differentiable = false;
  static std::vector<Sample> samples() { return {sample({3, 4})}; }
  static long double reference(long double x) { return std::isinf(x); }
  Array forward(const Array& x) const {
    if (!is_floating(x.dtype())) return Array::full(x.shape(), false, DType::bool_);
    return dispatch_floating(name, x.dtype(), [&]<class T>() {
      return map_elements<bool, T>(
          name, [](auto v) { return isinf(v); }, x);
    });
  }
};

struct IsFinite {
  static constexpr std::string_view name = "isfinite";
  static constexpr bool differentiable = false;
  static std::vector<Sample> samples() { return {sample({3, 4})}; }
  static long double reference(long double x) { return std::isfinite(x); }
  Array forward(const Array& x) const {
    if (!is_floating(x.dtype())) return Array::full(x.shape(), true, DType::bool_);
    return dispatch_floating(name, x.dtype(), [&]<class T>() {
      return map_elements<bool, T>(
          name, [](auto v) { return isfinite(v); }, x);
    });
  }
};

}  // namespace

Tensor operator<(const Tensor& a, const Tensor& b) { return record(Less{}, a, b); }
Tensor operator<(const Tensor& a, Scalar b) { return record(Less{}, a, constant(Less::name, b, a)); }
Tensor operator<(Scalar a, const Tensor& b) { return record(Less{}, constant(Less::name, a, b), b); }
Tensor operator<=(const Tensor& a, const Tensor& b) { return record(LessEqual{}, a, b); }
Tensor operator<=(const Tensor& a, Scalar b) {
  return record(LessEqual{}, a, constant(LessEqual::name, b, a));
}
Tensor operator<=(Scalar a, const Tensor& b) {
  return record(LessEqual{}, constant(LessEqual::name, a, b), b);
}
Tensor operator>(const Tensor& a, const Tensor& b) { return record(Greater{}, a, b); }
Tensor operator>(const Tensor& a, Scalar b) { return record(Greater{}, a, constant(Greater::name, b, a)); }
Tensor operator>(Scalar a, const Tensor& b) { return record(Greater{}, constant(Greater::name, a, b), b); }
Tensor operator>=(const Tensor& a, const Tensor& b) { return record(GreaterEqual{}, a, b); }
Tensor operator>=(const Tensor& a, Scalar b) {
  return record(GreaterEqual{}, a, constant(GreaterEqual::name, b, a));
}
Tensor operator>=(Scalar a, const Tensor& b) {
  return record(GreaterEqual{}, constant(GreaterEqual::name, a, b), b);
}
Tensor operator==(const Tensor& a, const Tensor& b) { return record(Equal{}, a, b); }
Tensor operator==(const Tensor& a, Scalar b) { return record(Equal{}, a, constant(Equal::name, b, a)); }
Tensor operator==(Scalar a, const Tensor& b) { return record(Equal{}, constant(Equal::name, a, b), b); }
Tensor operator!=(const Tensor& a, const Tensor& b) { return record(NotEqual{}, a, b); }
Tensor operator!=(const Tensor& a, Scalar b) { return record(NotEqual{}, a, constant(NotEqual::name, b, a)); }
Tensor operator!=(Scalar a, const Tensor& b) { return record(NotEqual{}, constant(NotEqual::name, a, b), b); }
Tensor logical_and(const Tensor& a, const Tensor& b) { return record(LogicalAnd{}, a, b); }
Tensor logical_or(const Tensor& a, const Tensor& b) { return record(LogicalOr{}, a, b); }
Tensor logical_xor(const Tensor& a, const Tensor& b) { return record(LogicalXor{}, a, b); }
Tensor logical_not(const Tensor& x) { return record(LogicalNot{}, x); }
Tensor isnan(const Tensor& x) { return record(IsNan{}, x); }
Tensor isinf(const Tensor& x) { return record(IsInf{}, x); }
Tensor isfinite(const Tensor& x) { return record(IsFinite{}, x); }

}  // namespace xgrad::inline v0
