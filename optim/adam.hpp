#pragma once
#include <array>
#include <xgrad/optim/optimizer.hpp>

namespace xgrad::inline v0::optim {

struct AdamOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};  ///< decay rates of the moments, in [0, 1)
  double eps = 1e-8;                           ///< 1e-7 in Keras
  bool eps_hat = false;          ///< eps is added before √v is corrected for its bias, as Keras 3 does
  double weight_decay = 0;       ///< added to the gradient, as weight_decay · p
  bool amsgrad = false;          ///< divide by the largest v so far
  double clip_norm = INFINITY;   ///< gradients are scaled down to this norm, that of the whole group
  double clip_value = INFINITY;  ///< and each element limited to ± this
};

struct AdamWOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};  ///< decay rates of the moments, in [0, 1)
  double eps = 1e-8;
  bool eps_hat = false;          ///< eps is added before √v is corrected for its bias
  double weight_decay = 1e-2;    ///< p shrinks by the factor 1 - lr · weight_decay before each update
  bool amsgrad = false;          ///< divide by the largest v so far
  double clip_norm = INFINITY;   ///< gradients are scaled down to this norm, that of the whole group
  double clip_value = INFINITY;  ///< and each element limited to ± this
};

/// m ← β₁m + (1-β₁)g,  v ← β₂v + (1-β₂)g²,  m̂ = m / (1-β₁ᵗ),  v̂ = v / (1-β₂ᵗ)
/// p ← p - lr · m̂ / (√v̂ + ε), or with eps_hat
/// p ← p - lr · √(1-β₂ᵗ) / (1-β₁ᵗ) · m / (√v + ε)
/// Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1 and the end of section 2;
/// amsgrad: Reddi et al. 2018, "On the Convergence of Adam and Beyond", with the bias corrections kept.
template <class O>
struct AdamRuleOf {
  using Options = O;
  static std::vector<std::string_view> states(const Options& o);
  static void check(const Options& o);
  template <class T, class Pass>
  void update(const Options& o, std::int64_t t, const Pass& pass);

  Power beta1_power, beta2_power;
};

struct AdamRule : AdamRuleOf<AdamOptions> {
  static constexpr std::string_view name = "adam";
};
/// Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2 (as PyTorch, which scales
/// the decay by lr).
struct AdamWRule : AdamRuleOf<AdamWOptions> {
  static constexpr std::string_view name = "adamw";
  static constexpr bool decoupled_weight_decay = true;
};

extern template class OptimizerOf<AdamRule>;
extern template class OptimizerOf<AdamWRule>;

/// Adam; states "exp_avg", "exp_avg_sq" and, with amsgrad, "max_exp_avg_sq".
using Adam = OptimizerOf<AdamRule>;
/// Adam with decoupled weight decay; the same states.
using AdamW = OptimizerOf<AdamWRule>;

}  // namespace xgrad::inline v0::optim
