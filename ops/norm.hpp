#pragma once
#include <xgrad/core/tensor.hpp>

/// Normalisation by mean and variance. An undefined weight counts as ones and an undefined bias as zeros;
/// both have x's dtype, which is floating. Variances are biased (divided by n) and formed in two passes.
namespace xgrad::inline v0 {

/// (x - mean) / √(var + eps) · weight + bias, the statistics over the last axes, which have shape
/// `normalized_shape`; weight and bias have that shape (Ba et al. 2016, "Layer normalization").
/// With x̂ = (x - mean) r, r = 1 / √(var + eps), g = dy · weight:
/// dx = r (g - mean(g) - x̂ mean(g x̂)), dweight = Σ dy x̂, dbias = Σ dy.
/// Throws ShapeError when the shapes do not fit, DTypeError, and ValueError unless eps ≥ 0.
Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight = {},
                  const Tensor& bias = {}, double eps = 1e-5);

/// What `batch_norm_train` returns.
struct BatchNormResult {
  Tensor y;          ///< shape of x
  Tensor mean, var;  ///< (C), the batch's; differentiable
};

/// (x - mean) / √(var + eps) · weight + bias, the statistics of each channel (axis 1) over all other axes:
/// x (N, C, …), weight and bias (C) (Ioffe & Szegedy 2015, "Batch normalization"). The gradient is
/// layer_norm's, with means over the channel. Throws ShapeError when the shapes do not fit or a channel has
/// no values, DTypeError, and ValueError unless eps ≥ 0.
BatchNormResult batch_norm_train(const Tensor& x, const Tensor& weight = {}, const Tensor& bias = {},
                                 double eps = 1e-5);

/// The same with given statistics, mean and var (C), as in evaluation.
Tensor batch_norm(const Tensor& x, const Tensor& mean, const Tensor& var, const Tensor& weight = {},
                  const Tensor& bias = {}, double eps = 1e-5);

}  // namespace xgrad::inline v0
