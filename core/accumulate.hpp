#pragma once
#include <xgrad/core/tensor.hpp>

/// The two operations that the reverse sweep itself needs.
namespace xgrad::inline v0 {

/// a + b elementwise, broadcast and promoted.   d/da = d/db = 1
Tensor add(const Tensor& a, const Tensor& b);

/// The sum of `x` over the axes along which `shape` was broadcast to x's: shape → `shape`.
/// Gradient: the cotangent, broadcast back. Throws ShapeError unless `shape` broadcasts to x's.
Tensor sum_to(const Tensor& x, const Shape& shape);

/// The same on arrays, for kernels. `shape` has been checked.
Array sum_to(const Array& x, const Shape& shape);

/// `x` repeated along new axes and axes of size 1, as a view, by NumPy's rule.
/// Gradient: the cotangent summed over the repeated axes. Throws ShapeError unless x's shape broadcasts to
/// `shape`.
Tensor broadcast_to(const Tensor& x, const Shape& shape);

/// `x` converted to dtype `t`; itself if it has it. Gradient, between floating dtypes: the cotangent
/// converted back.
Tensor astype(const Tensor& x, DType t);

}  // namespace xgrad::inline v0
