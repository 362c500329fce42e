#pragma once
#include <xgrad/optim/optimizer.hpp>

namespace xgrad::inline v0::optim {

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0;           ///< μ
  double dampening = 0;          ///< τ; not in the first update
  bool nesterov = false;         ///< needs momentum, and no dampening
  double weight_decay = 0;       ///< added to the gradient, as weight_decay · p
  double clip_norm = INFINITY;   ///< gradients are scaled down to this norm, that of the whole group
  double clip_value = INFINITY;  ///< and each element limited to ± this
};

/// p ← p - lr · g; with momentum b ← μb + (1-τ)g (b ← g in the first update) and
/// p ← p - lr · b, or with nesterov p ← p - lr · (g + μb). PyTorch's definitions, after Sutskever et al.
/// 2013, "On the importance of initialization and momentum in deep learning".
struct SGDRule {
  using Options = SGDOptions;
  static constexpr std::string_view name = "sgd";
  static std::vector<std::string_view> states(const Options& o);
  static void check(const Options& o);
  template <class T, class Pass>
  void update(const Options& o, std::int64_t t, const Pass& pass);
};

extern template class OptimizerOf<SGDRule>;

/// Stochastic gradient descent; with momentum, state "momentum_buffer".
using SGD = OptimizerOf<SGDRule>;

}  // namespace xgrad::inline v0::optim
