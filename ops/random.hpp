#pragma once
#include <xgrad/core/random.hpp>
#include <xgrad/core/tensor.hpp>

/// Differentiable operations that draw random numbers.
namespace xgrad::inline v0 {

/// Each element is 0 with probability `p` and divided by 1 - p otherwise, so that the expectation stays x
/// (Srivastava et al. 2014). Nothing is saved for the gradient, which draws the same mask again: dx is dy
/// with the same elements set to 0 and the others divided by 1 - p. Draws from `generator`, or from the
/// thread's default one. x itself when p is 0. Throws ValueError unless p is in [0, 1] and DTypeError unless
/// x is floating.
Tensor dropout(const Tensor& x, double p = 0.5, Generator* generator = nullptr);

}  // namespace xgrad::inline v0
