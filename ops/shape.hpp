#pragma once
#include <xgrad/core/accumulate.hpp>
#include <xgrad/core/tensor.hpp>

/// Changing shapes, joining and splitting, for every dtype. NumPy's semantics where nothing else is said.
namespace xgrad::inline v0 {

// ---- views: other shapes over the same elements -----------------------------------------------------------
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

// ---- joining and splitting --------------------------------------------------------------------------------

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

// ---- arranging --------------------------------------------------------------------------------------------

/// The elements in reverse order along `axes`, all of them by default. Gradient: the cotangent flipped.
Tensor flip(const Tensor& x, const Axes& axes = {});
/// Each element moved `shift` places along `axis`, those that leave at one end coming in at the other;
/// without an axis in the row-major order of all elements. Gradient: the cotangent rolled back.
Tensor roll(const Tensor& x, std::int64_t shift, std::optional<std::int64_t> axis = {});
/// The same along several axes, each by its own shift. Throws ValueError unless there are as many shifts as
/// axes.
Tensor roll(const Tensor& x, const std::vector<std::int64_t>& shifts, const std::vector<std::int64_t>& axes);

/// How many elements `pad` adds at the two ends of an axis.
struct PadWidth {
  std::int64_t before = 0, after = 0;
};
/// What `pad` adds: a constant; the outermost element; the elements inwards without (d c b | a b c d | c b a)
/// or with the outermost one (c b a | a b c d | d c b); or those from the other end
/// (b c d | a b c d | a b c).
enum class PadMode : std::uint8_t { constant, edge, reflect, symmetric, wrap };
/// Options of pad.
struct PadOptions {
  PadMode mode = PadMode::constant;
  Scalar value = 0;  ///< of PadMode::constant, converted to x's dtype
};
/// x with elements added at the ends of its axes: `pad(x, {{1, 2}, {0, 0}})`; one pair stands for all axes,
/// as does one number for both ends. Gradient: the cotangent of each element, added up where it was repeated.
/// Throws ShapeError for another number of pairs, ValueError for a negative width or a mode other than
/// constant on an axis of size 0.
Tensor pad(const Tensor& x, const std::vector<PadWidth>& widths, const PadOptions& options = {});
Tensor pad(const Tensor& x, std::int64_t width, const PadOptions& options = {});

/// Each element `repeats` times in a row along `axis`: a b → a a b b; without an axis, of x flattened.
/// Gradient: the cotangent summed over the copies. Throws ValueError for a negative number.
Tensor repeat(const Tensor& x, std::int64_t repeats, std::optional<std::int64_t> axis = {});
/// Element i counts[i] times along `axis`. Gradient: the cotangent summed over the copies. Throws ShapeError
/// unless there is one count for each, DTypeError unless they are integers.
Tensor repeat(const Tensor& x, const Tensor& counts, std::int64_t axis);
/// x beside itself reps[i] times along axis i: a b → a b a b. The shorter one of `reps` and x's shape gets
/// ones in front. Gradient: the cotangent summed over the copies. Throws ValueError for a negative number.
Tensor tile(const Tensor& x, const Shape& reps);

/// Of a vector (n,): the (n + |k|, n + |k|) matrix with it on diagonal k, above the main one when positive.
/// Of a matrix: its diagonal k. Each is the other's gradient. Throws ShapeError for another rank.
Tensor diag(const Tensor& x, std::int64_t k = 0);
/// x (…, m, n) with zeros above diagonal k. Gradient: the same of the cotangent. Throws ShapeError below
/// rank 2.
Tensor tril(const Tensor& x, std::int64_t k = 0);
/// x (…, m, n) with zeros below diagonal k. Gradient: the same of the cotangent. Throws ShapeError below
/// rank 2.
Tensor triu(const Tensor& x, std::int64_t k = 0);

}  // namespace xgrad::inline v0
