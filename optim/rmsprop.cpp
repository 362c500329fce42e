#include <xgrad/optim/rmsprop.hpp>
#include <xgrad/optim/rule.hpp>

namespace xgrad::inline v0::optim {

std::vector<std::string_view> RMSpropRule::states(const Options& o) {
  std::vector<std::string_view> names = {"square_avg"};
  if (o.centered) names.push_back("grad_avg");
  if (o.momentum > 0) names.push_back("momentum_buffer");
  return names;
}

void RMSpropRule::check(const Options& o) {
  check_option(name, "alpha", o.alpha, 0, 1);
  check_option(name, "eps", o.eps, 0);
  check_option(name, "momentum", o.momentum, 0);
}

template <class T, class Pass>
void RMSpropRule::update(const Options& o, std::int64_t, const Pass& pass) {
  const T lr = static_cast<T>(o.lr), alpha = static_cast<T>(o.alpha), rest = static_cast<T>(1 - o.alpha);
  const T eps = static_cast<T>(o.eps), momentum = static_cast<T>(o.momentum);
  const auto average = [=](auto a, auto x) XGRAD_SIMD_LAMBDA { return alpha * a + rest * x; };
  if (o.centered) {
    // v ≥ a² but for rounding; where they meet, it must not leave the root of a negative number.
    const auto spread = [](auto v, auto a) XGRAD_SIMD_LAMBDA { return sqrt(maximum(v - a * a, 0)); };
    if (o.momentum > 0) {
      pass([=](auto p, auto g, auto v, auto a, auto b) XGRAD_SIMD_LAMBDA {
        const auto v1 = average(v, g * g), a1 = average(a, g);
        const auto b1 = momentum * b + g / (spread(v1, a1) + eps);
        return simd::several(p - lr * b1, v1, a1, b1);
      });
    } else {
      pass([=](auto p, auto g, auto v, auto a) XGRAD_SIMD_LAMBDA {
        const auto v1 = average(v, g * g), a1 = average(a, g);
        return simd::several(p - lr * g / (spread(v1, a1) + eps), v1, a1);
      });
    }
  } else if (o.momentum > 0) {
    pass([=](auto p, auto g, auto v, auto b) XGRAD_SIMD_LAMBDA {
      const auto v1 = average(v, g * g);
      const auto b1 = momentum * b + g / (sqrt(v1) + eps);
      return simd::several(p - lr * b1, v1, b1);
    });
  } else {
    pass([=](auto p, auto g, auto v) XGRAD_SIMD_LAMBDA {
      const auto v1 = average(v, g * g);
      return simd::several(p - lr * g / (sqrt(v1) + eps), v1);
    });
  }
}

template class OptimizerOf<RMSpropRule>;

}  // namespace xgrad::inline v0::optim
