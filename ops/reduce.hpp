#pragma once
#include <xgrad/core/tensor.hpp>

/// Reductions over any axes (all when none are given), and softmax. Axes count from the end when negative;
/// with `.keepdims` reduced axes stay, with size 1. Each throws IndexError for an axis out of range and
/// ValueError for one that is named twice. y denotes the result.
namespace xgrad::inline v0 {

/// Σ x. bool and integers give int64; 0 for no elements.   dx = dy
Tensor sum(const Tensor& x, const Axes& axes = {}, ReduceOptions options = {});
/// Σ x / n; integers and bool give the default dtype; NaN for no elements.   dx = dy / n
Tensor mean(const Tensor& x, const Axes& axes = {}, ReduceOptions options = {});
/// Π x, multiplied in float64; 1 for no elements.   dx = dy · Π of the others, also where elements are 0
Tensor prod(const Tensor& x, const Axes& axes = {}, ReduceOptions options = {});
/// The largest element, of bools whether any is true; NaN if any is. Throws ValueError for no elements.
/// dx = dy, shared equally by ties
Tensor max(const Tensor& x, const Axes& axes = {}, ReduceOptions options = {});
/// The smallest element, of bools whether all are true; NaN if any is. Throws ValueError for no elements.
/// dx = dy, shared equally by ties
Tensor min(const Tensor& x, const Axes& axes = {}, ReduceOptions options = {});

/// Options of `var` and `std`.
struct VarOptions {
  std::int64_t ddof = 0;  ///< the sum is divided by n - ddof: 0 as in NumPy, 1 for the unbiased estimate
  bool keepdims = false;
};
/// Σ (x - mean)² / (n - ddof), in two passes, so that a large mean costs no accuracy; floating.
/// dx = 2 dy (x - mean) / (n - ddof)
Tensor var(const Tensor& x, const Axes& axes = {}, VarOptions options = {});
/// √var.   dx = dy (x - mean) / ((n - ddof) y), 0 where y is 0
Tensor std(const Tensor& x, const Axes& axes = {}, VarOptions options = {});
/// The Euclidean norm √Σ x², formed so that neither 1e20 nor 1e-30 overflows or vanishes in float32;
/// floating.   dx = dy x / y, 0 where y is 0
Tensor norm(const Tensor& x, const Axes& axes = {}, ReduceOptions options = {});
/// ln Σ eˣ, for any magnitude of x; -inf where all elements are; floating.
/// dx = dy softmax(x), 0 where y is -inf
Tensor logsumexp(const Tensor& x, const Axes& axes = {}, ReduceOptions options = {});

/// eˣ / Σ eˣ along one axis, for any magnitude of x; floating.   dx = y (dy - Σ dy y)
Tensor softmax(const Tensor& x, std::int64_t axis = -1);
/// x - ln Σ eˣ along one axis, for any magnitude of x; floating.   dx = dy - softmax(x) Σ dy
Tensor log_softmax(const Tensor& x, std::int64_t axis = -1);

/// The index (int64) of the first largest or smallest element along `axis`, or in row-major order over all; a
/// NaN counts as the extreme, as in NumPy. No gradient. Throws ValueError for no elements.
Tensor argmax(const Tensor& x, std::optional<std::int64_t> axis = {}, ReduceOptions options = {});
Tensor argmin(const Tensor& x, std::optional<std::int64_t> axis = {}, ReduceOptions options = {});
/// Whether any, or every, element is nonzero: bool. No gradient.
Tensor any(const Tensor& x, const Axes& axes = {}, ReduceOptions options = {});
Tensor all(const Tensor& x, const Axes& axes = {}, ReduceOptions options = {});
/// The number (int64) of elements that are not 0. No gradient.
Tensor count_nonzero(const Tensor& x, const Axes& axes = {}, ReduceOptions options = {});

}  // namespace xgrad::inline v0
