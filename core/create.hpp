#pragma once
#include <xgrad/core/tensor.hpp>

/// Making tensors, as in NumPy.
namespace xgrad::inline v0 {

namespace detail {
/// Numbers in nested braces: {{1, 2}, {3, 4}}.
class NestedList {
 public:
  template <class T>
  requires std::is_arithmetic_v<T> NestedList(T v) : NestedList(Scalar(v)) {}
  NestedList(Scalar v);
  NestedList(std::initializer_list<NestedList> items);

  const Shape& shape() const { return shape_; }
  const std::vector<Scalar>& values() const { return values_; }

 private:
  Shape shape_;
  std::vector<Scalar> values_;
};
Tensor make_tensor(const NestedList& values, const TensorOptions& options);
Tensor make_tensor(Array values, const TensorOptions& options, std::string_view op = "tensor");
void check_count(std::int64_t count, const Shape& shape);
[[noreturn]] void throw_null_values(const Shape& shape);
}  // namespace detail

/// From a number or numbers in nested braces: `tensor(2.5)`, `tensor({{1, 2}, {3, 4}}, {.dtype = float64})`.
/// Integers give int64, a floating number among them the default dtype, bools bool. Throws ShapeError for
/// ragged braces and ValueError for a number that the dtype does not reach, as 300 for uint8; of a fraction
/// an integer dtype takes the integer part, as in NumPy.
inline Tensor tensor(const detail::NestedList& values, const TensorOptions& options = {}) {
  return detail::make_tensor(values, options);
}
/// A copy of `values` with `shape`. The dtype is T's unless given. Throws ShapeError when the counts differ.
template <class T>
Tensor tensor(std::span<const T> values, const Shape& shape, const TensorOptions& options = {}) {
  detail::check_count(static_cast<std::int64_t>(values.size()), shape);
  return detail::make_tensor(Array::from<T>(values, shape), options);
}
template <class T>
Tensor tensor(const std::vector<T>& values, const Shape& shape, const TensorOptions& options = {}) {
  return tensor(std::span<const T>(values), shape, options);
}
/// 1-d.
template <class T>
Tensor tensor(const std::vector<T>& values, const TensorOptions& options = {}) {
  return tensor(std::span<const T>(values), {static_cast<std::int64_t>(values.size())}, options);
}
/// A copy of the shape's number of elements from `values` on. Throws ValueError for a null pointer.
template <class T>
Tensor tensor(const T* values, const Shape& shape, const TensorOptions& options = {}) {
  if (values == nullptr) detail::throw_null_values(shape);
  return tensor(std::span<const T>(values, static_cast<std::size_t>(shape.numel())), shape, options);
}

/// Filled with 0, 1 or `value`, in the default dtype unless given (`full`: the value's). Throws ShapeError
/// for a negative size, ValueError for a value that the dtype does not reach, DTypeError for `.requires_grad`
/// of a dtype that is not floating.
Tensor zeros(const Shape& shape, const TensorOptions& options = {});
Tensor ones(const Shape& shape, const TensorOptions& options = {});
Tensor full(const Shape& shape, Scalar value, const TensorOptions& options = {});
/// With the shape and dtype of `x`.
Tensor zeros_like(const Tensor& x, const TensorOptions& options = {});
Tensor ones_like(const Tensor& x, const TensorOptions& options = {});
Tensor full_like(const Tensor& x, Scalar value, const TensorOptions& options = {});
/// The (n, m) matrix with ones on diagonal `k` (above the main one when positive); m = n when left out.
Tensor eye(std::int64_t n, std::optional<std::int64_t> m = {}, std::int64_t k = 0,
           const TensorOptions& options = {});
/// start, start + step, … below `stop` (above it for a negative step). int64 when all three are integers.
/// Throws ValueError for step 0, ends that are not finite and numbers that the dtype does not have.
Tensor arange(Scalar start, Scalar stop, Scalar step = 1, const TensorOptions& options = {});
Tensor arange(Scalar stop, const TensorOptions& options = {});
/// `n` evenly spaced numbers from `start` to `stop`, both included. Throws ValueError unless both are finite.
Tensor linspace(double start, double stop, std::int64_t n = 50, const TensorOptions& options = {});

}  // namespace xgrad::inline v0
