#pragma once
#include <xgrad/optim/optimizer.hpp>

namespace xgrad::inline v0::optim {

struct RMSpropOptions {
  double lr = 1e-2;
  double alpha = 0.99;  ///< decay rate of the averages, in [0, 1)
  double eps = 1e-8;
  double momentum = 0;           ///< μ
  bool centered = false;         ///< divide by an estimate of the standard deviation
  double weight_decay = 0;       ///< added to the gradient, as weight_decay · p
  double clip_norm = INFINITY;   ///< gradients are scaled down to this norm, that of the whole group
  double clip_value = INFINITY;  ///< and each element limited to ± this
};

/// v ← αv + (1-α)g²,  centered: a ← αa + (1-α)g, ṽ = v - a², else ṽ = v
/// p ← p - lr · g / (√ṽ + ε), or with momentum b ← μb + g / (√ṽ + ε), p ← p - lr · b
/// Tieleman and Hinton 2012, lecture 6.5 of "Neural Networks for Machine Learning"; centered: Graves 2013,
/// "Generating Sequences With Recurrent Neural Networks", equations 38 to 45. PyTorch's definitions.
struct RMSpropRule {
  using Options = RMSpropOptions;
  static constexpr std::string_view name = "rmsprop";
  static std::vector<std::string_view> states(const Options& o);
  static void check(const Options& o);
  template <class T, class Pass>
  void update(const Options& o, std::int64_t t, const Pass& pass);
};

extern template class OptimizerOf<RMSpropRule>;

/// RMSprop; states "square_avg", with momentum "momentum_buffer", centered "grad_avg".
using RMSprop = OptimizerOf<RMSpropRule>;

}  // namespace xgrad::inline v0::optim
