#pragma once
#include <xgrad/core/tape.hpp>

/// What functions ask of their arguments before they use them. Each error names `op`.
namespace xgrad::inline v0::detail {

/// Throws ValueError, with its place among the inputs, for a tensor that is undefined. `record` does the
/// same: this is for functions that need a shape or a dtype before.
template <class... T>
void require_defined(std::string_view op, const T&... inputs) {
  int place = 0;
  ((inputs.defined() ? void(++place) : throw_undefined_input(op, place)), ...);
}

/// Throws DTypeError for a tensor of integers or bool.
void require_floating(std::string_view op, const Tensor& x);

/// What `make` returns; a MemoryError in it is one of `op`.
template <class F>
auto allocate_for(std::string_view op, F&& make) {
  try {
    return make();
  } catch (MemoryError& e) {
    e.name_operation(op);
    throw;
  }
}

/// `Array::empty` for a function that is not recorded.
inline Array empty_for(std::string_view op, const Shape& shape, DType t) {
  return allocate_for(op, [&] { return Array::empty(shape, t); });
}

/// Throws ValueError unless the option is a finite number.
void require_finite(std::string_view op, std::string_view option, double value);

/// Throws ShapeError if a result that is made of an array of `shape` would have more than `max_rank` axes.
void require_rank(std::string_view op, const Shape& shape, int rank);

/// Throws ValueError unless dtype `t` has the number: 300 is no uint8. An integer dtype takes a floating
/// number within its range without the fraction, as in NumPy.
void require_fits(std::string_view op, Scalar value, DType t);

/// Throws DTypeError for a gradient that is asked for in a dtype that has none.
void require_gradient_dtype(std::string_view op, DType t, bool requires_grad);

}  // namespace xgrad::inline v0::detail
