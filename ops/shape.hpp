#pragma once
#include <xgrad/core/accumulate.hpp>
#include <xgrad/core/tensor.hpp>

/// Changing shapes, joining and splitting, for every dtype. NumPy's semantics where nothing else is said.
namespace xgrad::inline v0 {

// ---- views: other shapes over the same elements
// -----------------------------------------------------------------
// They copy nothing unless strides force them to; the gradient is the cotangent in the input's shape.

/// The elements, in row-major order, under another shape; one size may be -1 and is found from the others.
/// Throws ShapeError when the numbers of elements differ.
Tensor reshape(const Tensor& x, const Shape& shape);
/// Axes `first` to `last`, both included, as one. Throws IndexError, and ShapeError when last comes before
/// first.
Tensor flatten(const Tensor& x, std::int64_t first = 0, std::int64_t last = -1);
/// The axes in reverse order: of a matrix its transpose.
Tensor transpose(const Tensor& x);
/// `permute(x, axes)`.
Tensor transpose(const Tensor& x, const Shape& axes);
/// Axes `a` and `b` swapped, as NumPy's swapaxes.
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

// ---- joining and splitting
// -----------------------------------------------------------------------------------------

/// The tensors one after the other along `axis`, promoted to one dtype. Gradient: each one's part of the
/// cotangent. Throws ValueError for an empty list and ShapeError unless all other sizes agree.
Tensor concat(const std::vector<Tensor>& xs, std::int64_t axis = 0);
/// Tensors of one shape along an axis put in at `axis` of the result. Throws as concat, IndexError outside
/// [-rank - 1, rank].
Tensor stack(const std::vector<Tensor>& xs, std::int64_t axis = 0);
/// `sections` equal parts along `axis`, views. Gradient: the cotangents concatenated, zeros for parts that
/// got none. Throws ShapeError unless `sections` divides the size.
std::vector<Tensor> split(const Tensor& x, std::int64_t sections, std::int64_t axis = 0);
/// Parts that begin at 0 and at each entry of `cuts`, which count from the end when negative and ascend: for
/// size 10, {2, 5} gives sizes 2, 3 and 5. Throws IndexError for a cut outside the axis, ValueError for
/// descending ones.
std::vector<Tensor> split(const Tensor& x, std::initializer_list<std::int64_t> cuts, std::int64_t axis = 0);
std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& cuts, std::int64_t axis = 0);
/// At most `chunks` parts of equal size along `axis`, the last one possibly smaller. As PyTorch's. Throws
/// ValueError unless chunks > 0.
std::vector<Tensor> chunk(const Tensor& x, std::int64_t chunks, std::int64_t axis = 0);

}  // namespace xgrad::inline v0
