#include <xgrad/core/extras.hpp>
#include <xgrad/nn/visit.hpp>

namespace xgrad::inline v0::nn {

namespace {

void give_name(const Tensor& t, const std::string& path) {
  if (t.is_leaf()) xgrad::detail::offer_name(t, path);
}

}  // namespace

void Visitor::found(Parameter& p) {
  if (!p.defined()) return;
  give_name(p, path_);
  parameter(p);
}

void Visitor::found(Buffer& b) {
  if (!b.defined()) return;
  give_name(b, path_);
  buffer(b);
}

Visitor::Step::Step(Visitor& v, std::string_view name) : visitor_(v), length_(v.path_.size()) {
  if (!v.path_.empty()) v.path_ += '.';
  v.path_ += name;
}

Visitor::Step::Step(Visitor& v, std::size_t index) : Step(v, std::to_string(index)) {}

}  // namespace xgrad::inline v0::nn
