#pragma once
#include <concepts>
#include <span>

#include <xgrad/core/tensor.hpp>

/// Picking elements. Indices count from the end when negative; one out of range is an IndexError that names
/// index, axis and size. Tensors of indices are of integer dtype and have no gradient.
namespace xgrad::inline v0 {

/// A missing end of a slice.
struct None {};
inline constexpr None none{};

/// One end of a slice: a position, or `none`.
using Bound = std::optional<std::int64_t>;

/// The positions start, start + step, … before stop, as Python's slice: ends count from the end when
/// negative, are clipped to the axis, and `none` means as far as it goes.
struct Slice {
  Bound start = {}, stop = {};
  std::int64_t step = 1;
};

namespace detail {
/// An argument of `slice`: an integer or `none`.
struct SliceEnd {
  constexpr SliceEnd(None) {}
  constexpr SliceEnd(Bound b) : value(b) {}
  template <class T>
  requires(std::integral<T> && !std::same_as<T, bool>) constexpr SliceEnd(T v)
      : value(static_cast<std::int64_t>(v)) {}
  Bound value = {};
};
}  // namespace detail

/// Everything along an axis.
constexpr Slice slice() { return {}; }
/// The first `stop` positions, as Python's slice(stop).
constexpr Slice slice(detail::SliceEnd stop) { return {{}, stop.value, 1}; }
/// start, start + step, … before stop: `slice(1, 5)`, `slice(none, none, -1)`, `slice(-3, none)`.
constexpr Slice slice(detail::SliceEnd start, detail::SliceEnd stop, std::int64_t step = 1) {
  return {start.value, stop.value, step};
}

/// As an index: an axis of size 1 that x does not have.
struct NewAxis {};
inline constexpr NewAxis newaxis{};
/// As an index: all axes that the others leave over.
struct Ellipsis {};
inline constexpr Ellipsis ellipsis{};

/// One index of `x(…)`: an integer, a slice, `newaxis`, `ellipsis`, or a tensor of integers or bools.
class Index {
 public:
  enum class Kind : std::uint8_t { position, range, added_axis, remaining_axes, tensor };

  template <class T>
  requires(std::integral<T> && !std::same_as<T, bool>) Index(T i)
      : kind_(Kind::position), slice_{static_cast<std::int64_t>(i), {}, 1} {}
  Index(Slice s) : kind_(Kind::range), slice_(s) {}
  Index(NewAxis) : kind_(Kind::added_axis) {}
  Index(Ellipsis) : kind_(Kind::remaining_axes) {}
  Index(Tensor t) : kind_(Kind::tensor), tensor_(std::move(t)) {}

  Kind kind() const { return kind_; }
  std::int64_t position() const { return *slice_.start; }
  const Slice& range() const { return slice_; }
  const Tensor& tensor() const { return tensor_; }

 private:
  Kind kind_;
  Slice slice_;
  Tensor tensor_;
};

/// x[indices] by NumPy's rules; `x(0, slice(1, 5), newaxis, ellipsis, rows)` is the same.
///
/// Integers, slices, newaxis and ellipsis alone give a view. With tensors of integers (broadcast together;
/// integers beside them count as such) the elements are copied: the broadcast axes stand where the tensors
/// stood if these were neighbours, else in front. A bool tensor stands for the positions of its true
/// elements, along as many axes as it has. Gradient: the cotangent put back at those places, and added up
/// where a place was picked repeatedly. Throws IndexError for too many indices, two ellipses or an index out
/// of range; ShapeError for index tensors that do not broadcast and masks that do not fit; ValueError for
/// step 0; DTypeError for a tensor of floats.
Tensor index(const Tensor& x, std::span<const Index> indices);
inline Tensor index(const Tensor& x, std::initializer_list<Index> indices) {
  return index(x, std::span<const Index>(indices.begin(), indices.size()));
}

/// Positions start, start + step, … before stop along `axis`, a view: `slice(x, -1, 0, none, 2)`. Ends as in
/// Slice. Throws IndexError for the axis, ValueError for step 0.
Tensor slice(const Tensor& x, std::int64_t axis, detail::SliceEnd start, detail::SliceEnd stop,
             std::int64_t step = 1);

/// y[i][j][k] = x[index[i][j][k]][j][k] for axis 0, and alike for others: shape of `index`, which may be
/// smaller than x along the other axes. Gradient: scatter_add of the cotangent. As PyTorch's. Throws
/// ShapeError and IndexError.
Tensor gather(const Tensor& x, std::int64_t axis, const Tensor& index);
/// A copy of x with y[index[i][j][k]][j][k] += src[i][j][k] for axis 0, and alike for others. `index` may be
/// smaller than `src`, and than x along the other axes. Gradient: dy for x, gather(dy, axis, index) for src.
/// As PyTorch's. Throws ShapeError, IndexError and DTypeError unless x and src have one dtype.
Tensor scatter_add(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& src);
/// gather after x and `index` have been broadcast against each other along the other axes, as NumPy's: what
/// argsort or argmax with keepdims returns fits. Throws ShapeError unless the ranks agree, and IndexError.
Tensor take_along_axis(const Tensor& x, const Tensor& index, std::int64_t axis);
/// Options of one_hot.
struct OneHotOptions {
  std::optional<DType> dtype = {};  ///< the default dtype
};
/// 1 at the positions that `index` names along a last axis of `classes`, else 0: shape (…) → (…, classes).
/// Without `classes`, one more than the largest index. No gradient. Throws IndexError for an index outside
/// [0, classes) and DTypeError unless integer.
Tensor one_hot(const Tensor& index, std::optional<std::int64_t> classes = {}, OneHotOptions options = {});

}  // namespace xgrad::inline v0
