#include <type_traits>
#include <xgrad/optim/adam.hpp>
#include <xgrad/optim/rule.hpp>

namespace xgrad::inline v0::optim {
namespace {

template <class O>
inline constexpr bool decoupled = std::is_same_v<O, AdamWOptions>;

}  // namespace

template <class O>
std::vector<std::string_view> AdamRuleOf<O>::states(const O& o) {
  if (o.amsgrad) return {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"};
  return {"exp_avg", "exp_avg_sq"};
}

template <class O>
void AdamRuleOf<O>::check(const O& o) {
  constexpr std::string_view op = decoupled<O> ? AdamWRule::name : AdamRule::name;
  check_option(op, "betas[0]", o.betas[0], 0, 1);
  check_option(op, "betas[1]", o.betas[1], 0, 1);
  check_option(op, "eps", o.eps, 0);
  check_option(op, "weight_decay", o.weight_decay, 0);
}

// Both forms are p - rate · m / (√v · root + ε): root carries v's correction for bias, or rate does.
template <class O>
template <class T, class Pass>
void AdamRuleOf<O>::update(const O& o, std::int64_t t, const Pass& pass) {
  const double correction = std::sqrt(1 - beta2_power(o.betas[1], t));
  const double lr = o.lr / (1 - beta1_power(o.betas[0], t));
  const T rate = static_cast<T>(o.eps_hat ? lr * correction : lr);
  const T root = static_cast<T>(o.eps_hat ? 1 : 1 / correction);
  const T keep = static_cast<T>(decoupled<O> ? 1 - o.lr * o.weight_decay : 1);
  const T b1 = static_cast<T>(o.betas[0]), rest1 = static_cast<T>(1 - o.betas[0]);
  const T b2 = static_cast<T>(o.betas[1]), rest2 = static_cast<T>(1 - o.betas[1]);
  const T eps = static_cast<T>(o.eps);
  if (o.amsgrad) {
    pass([=](auto p, auto g, auto m, auto v, auto largest) XGRAD_SIMD_LAMBDA {
      const auto m1 = b1 * m + rest1 * g;
      const auto v1 = b2 * v + rest2 * (g * g);
      const auto top = maximum(largest, v1);
      return simd::several(keep * p - rate * m1 / (sqrt(top) * root + eps), m1, v1, top);
    });
  } else {
    pass([=](auto p, auto g, auto m, auto v) XGRAD_SIMD_LAMBDA {
      const auto m1 = b1 * m + rest1 * g;
      const auto v1 = b2 * v + rest2 * (g * g);
      return simd::several(keep * p - rate * m1 / (sqrt(v1) * root + eps), m1, v1);
    });
  }
}

template struct AdamRuleOf<AdamOptions>;
template struct AdamRuleOf<AdamWOptions>;
template class OptimizerOf<AdamRule>;
template class OptimizerOf<AdamWRule>;

}  // namespace xgrad::inline v0::optim
