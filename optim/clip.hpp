#pragma once
#include <xgrad/optim/optimizer.hpp>

/// Clipping of gradients between `backward` and `step`. The options `.clip_norm` and `.clip_value` of the
/// optimizers do the same within the step, without a pass of their own.
namespace xgrad::inline v0::optim {

/// Scales the gradients of all parameters together by min(1, max_norm / (norm + 1e-6)), where norm is the
/// 2-norm of all their elements. Parameters without a gradient are passed over. Returns norm, as it was
/// before. Throws ValueError unless max_norm > 0.
double clip_grad_norm(const ParameterList& parameters, double max_norm);

/// Limits each element of the gradients to [-limit, limit]; NaN stays NaN. Throws ValueError unless
/// limit > 0.
void clip_grad_value(const ParameterList& parameters, double limit);

}  // namespace xgrad::inline v0::optim
