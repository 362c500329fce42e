#pragma once
#include <xgrad/core/tensor.hpp>
#include <xgrad/ops/kernels/gemm.hpp>

/// Matrix products.
namespace xgrad::inline v0 {

/// The matrix product by NumPy's rules: (…, m, k) · (…, k, n) → (…, m, n), batch axes broadcast; a vector on
/// the left is a row and one on the right a column, and that axis is dropped from the result, so (k)·(k) is
/// 0-d. Transposed views are not copied.   da = dy · bᵀ, db = aᵀ · dy
/// Throws ShapeError for 0-d operands, inner sizes that differ and batch axes that do not broadcast.
Tensor matmul(const Tensor& a, const Tensor& b);

/// The product of two vectors, Σᵢ aᵢ bᵢ: (n), (n) → 0-d. Throws ShapeError for other ranks or different
/// sizes.
Tensor dot(const Tensor& a, const Tensor& b);

/// aᵢ bⱼ: (n), (m) → (n, m). Throws ShapeError unless both are vectors.
Tensor outer(const Tensor& a, const Tensor& b);

/// x · weightᵀ + bias, as one operation: x (…, in), weight (out, in), bias (out) → (…, out). Without a bias
/// the product alone.   dx = dy · weight, dweight = dyᵀ · x, dbias = Σ dy over all but the last axis
/// Throws ShapeError when the sizes do not fit and DTypeError unless all are of one floating dtype.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});
/// What `linear` may end with: Activation::none, relu, sigmoid, tanh.
using Activation = kernels::Activation;
/// activation(x · weightᵀ + bias), as one operation, which applies it where the product is in registers.
/// `relu(linear(x, weight, bias))` is the same operation with one more pass over the result.
/// dz = dy · ∂activation at y, and from it the gradients of the product. Throws as `linear`.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, Activation activation);

}  // namespace xgrad::inline v0
