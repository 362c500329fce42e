#include <xgrad/optim/rule.hpp>
#include <xgrad/optim/sgd.hpp>

namespace xgrad::inline v0::optim {

std::vector<std::string_view> SGDRule::states(const Options& o) {
  if (o.momentum == 0) return {};
  return {"momentum_buffer"};
}

void SGDRule::check(const Options& o) {
  check_option(name, "momentum", o.momentum, 0);
  check_option(name, "dampening", o.dampening, -INFINITY);
  if (o.nesterov && (o.momentum == 0 || o.dampening != 0))
    throw ValueError(name,
                     "option nesterov needs momentum and no dampening: set .momentum = 0.9, .dampening = 0");
}

template <class T, class Pass>
void SGDRule::update(const Options& o, std::int64_t t, const Pass& pass) {
  const T lr = static_cast<T>(o.lr), momentum = static_cast<T>(o.momentum);
  const T fresh = static_cast<T>(t == 1 ? 1 : 1 - o.dampening);
  if (o.momentum == 0) {
    pass([=](auto p, auto g) XGRAD_SIMD_LAMBDA { return p - lr * g; });
  } else if (o.nesterov) {
    pass([=](auto p, auto g, auto b) XGRAD_SIMD_LAMBDA {
      const auto b1 = momentum * b + fresh * g;
      return simd::several(p - lr * (g + momentum * b1), b1);
    });
  } else {
    pass([=](auto p, auto g, auto b) XGRAD_SIMD_LAMBDA {
      const auto b1 = momentum * b + fresh * g;
      return simd::several(p - lr * b1, b1);
    });
  }
}

template class OptimizerOf<SGDRule>;

}  // namespace xgrad::inline v0::optim
