#pragma once
#include <xgrad/core/tensor.hpp>

/// Running sums and products.
namespace xgrad::inline v0 {

/// y_i = x_0 + … + x_i along `axis`; without one, of x flattened. Integers and bools give int64.
/// Gradient: dx_i = dy_i + … + dy_{n-1}. Throws IndexError for the axis.
Tensor cumsum(const Tensor& x, std::optional<std::int64_t> axis = {});
/// y_i = x_0 · … · x_i along `axis`; without one, of x flattened. Integers and bools give int64.
/// Gradient: dx_i = Σ_{j ≥ i} dy_j ∏_{k ≤ j, k ≠ i} x_k, exact where some x are 0 too. Throws IndexError for
/// the axis.
Tensor cumprod(const Tensor& x, std::optional<std::int64_t> axis = {});

}  // namespace xgrad::inline v0
