#pragma once
#include <xgrad/core/accumulate.hpp>
#include <xgrad/core/tensor.hpp>

/// Views: other shapes over the same elements. They copy nothing unless strides force them to; the gradient
/// is the cotangent in the input's shape.
namespace xgrad::inline v0 {

/// The elements, in row-major order, under another shape; one size may be -1 and is found from the others.
/// Throws ShapeError when the numbers of elements differ.
Tensor reshape(const Tensor& x, const Shape& shape);
/// Axes `first` to `last`, both included, as one. Throws IndexError, and ShapeError when last comes before
/// first.
Tensor flatten(const Tensor& x, std::int64_t first = 0, std::int64_t last = -1);
/// Axes `a` and `b` swapped.
Tensor transpose(const Tensor& x, std::int64_t a, std::int64_t b);
/// Axis i of the result is axis axes[i] of x. Throws ValueError unless each axis is named once.
Tensor permute(const Tensor& x, const Shape& axes);
/// Without the given axes, which must have size 1; without all of size 1 when none are given. Throws
/// ShapeError.
Tensor squeeze(const Tensor& x, const Axes& axes = {});
/// With an axis of size 1 at `axis` of the result.
Tensor unsqueeze(const Tensor& x, std::int64_t axis);
/// `broadcast_to` in which -1 keeps x's size.
Tensor expand(const Tensor& x, const Shape& shape);
/// x itself if its elements lie row-major, else a copy in which they do.
Tensor contiguous(const Tensor& x);

}  // namespace xgrad::inline v0
