#include <xgrad/nn/observe.hpp>
#include <xgrad/nn/sequential.hpp>

namespace xgrad::inline v0::nn {

Tensor detail::AnyModule::operator()(Tensor x) const {
  Tensor y = held_->call(std::move(x));
  if (Observer* o = observer(); o != nullptr) [[unlikely]]
    o->output(held_->type(), held_->address(), y);
  return y;
}

Tensor Sequential::operator()(Tensor x) const {
  for (const detail::AnyModule& m : modules_) x = m(std::move(x));
  return detail::observed(*this, std::move(x));
}

void Sequential::visit(Visitor& v) {
  for (std::size_t i = 0; i < modules_.size(); ++i) {
    Visitor::Step step(v, i);
    modules_[i].visit(v);
  }
}

}  // namespace xgrad::inline v0::nn
