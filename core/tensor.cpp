#include <fmt/core.h>

#include <algorithm>
#include <xgrad/core/accumulate.hpp>
#include <xgrad/core/extras.hpp>
#include <xgrad/core/require.hpp>

namespace xgrad::inline v0 {

namespace detail {

void throw_undefined_tensor(std::string_view op) {
  throw ValueError(op,
                   "the tensor is undefined, as a gradient is until backward() has run: give it a value "
                   "before its shape or "
                   "values are asked for");
}

namespace {

/// The leaf node of `t`, made if it has none.
Leaf& make_leaf(const Tensor& t) {
  TensorImpl& impl = *t.impl();
  if (impl.node == nullptr) {
    auto* leaf = new (pool_allocate(sizeof(Leaf))) Leaf;
    leaf->slot.dtype = impl.array.dtype();
    leaf->slot.shape = impl.array.shape();
    impl.node = leaf;
  }
  return static_cast<Leaf&>(*impl.node);
}

void require_defined(std::string_view op, const Tensor& t) {
  if (!t.defined()) throw_undefined_tensor(op);
}

void require_leaf(std::string_view op, const Tensor& t) {
  require_defined(op, t);
  if (!t.is_leaf())
    throw GraphError(
        op, fmt::format("{} of shape {} was made by a recorded operation: use a leaf, or detach() it",
                        t.describe(), t.shape().str()));
}

std::uint64_t next_hook_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

void offer_name(const Tensor& leaf, std::string_view name) { extras_of(make_leaf(leaf)).name.offer(name); }

}  // namespace detail

std::int64_t Tensor::size(std::int64_t axis) const {
  detail::require_defined("size", *this);
  return shape()[normalize_axis("size", axis, shape())];
}

void Tensor::require_one_element() const {
  detail::require_defined("item", *this);
  if (numel() != 1)
    throw ShapeError("item",
                     fmt::format("shape {} has {} elements: item() takes exactly one: index it first, or use "
                                 "to_vector",
                                 shape().str(), numel()));
}

void Tensor::require_data(DType t) const {
  detail::require_defined("data", *this);
  if (dtype() != t)
    throw DTypeError("data",
                     fmt::format("the elements are {}, asked for as {}: use data of that type, or astype",
                                 xgrad::name(dtype()), xgrad::name(t)));
  if (!array().is_contiguous())
    throw ShapeError(
        "data", fmt::format("a view of shape {} with strides {} does not lie row-major: call contiguous() "
                            "first, and keep its result",
                            shape().str(), array().strides().str()));
}

const Tensor& Tensor::set_requires_grad(bool value) const {
  detail::require_leaf("set_requires_grad", *this);
  if (value) detail::require_floating("set_requires_grad", *this);
  if (value) detail::make_leaf(*this);
  impl_->requires_grad = value;
  return *this;
}

bool Tensor::is_leaf() const { return array(), impl_->node == nullptr || impl_->node->is_leaf; }

Tensor Tensor::grad() const {
  detail::require_defined("grad", *this);
  const detail::Leaf* leaf = detail::leaf_of(*this);
  return leaf != nullptr ? leaf->grad : Tensor();
}

void Tensor::set_grad(Tensor g) const {
  detail::require_leaf("set_grad", *this);
  if (g.defined() && g.shape() != shape())
    throw ShapeError("set_grad",
                     fmt::format("a gradient of shape {} for {} of shape {}: give one of shape {}",
                                 g.shape().str(), describe(), shape().str(), shape().str()));
  if (g.defined() && g.dtype() != dtype())
    throw DTypeError("set_grad",
                     fmt::format("a gradient of dtype {} for {} of shape {} and dtype {}: convert "
                                 "it with astype({})",
                                 xgrad::name(g.dtype()), describe(), shape().str(), xgrad::name(dtype()),
                                 xgrad::name(dtype())));
  if (g.defined() || impl_->node != nullptr) detail::make_leaf(*this).grad = std::move(g);
}

Tensor Tensor::detach() const {
  detail::require_defined("detach", *this);
  return Tensor(array());
}

HookHandle Tensor::register_hook(Function<Tensor(const Tensor&)> hook) const {
  detail::require_defined("register_hook", *this);
  if (!hook) detail::throw_null("register_hook", "the hook");
  if (!impl_->requires_grad)
    throw GraphError("register_hook", fmt::format("{} of shape {} does not require a gradient: call "
                                                  "set_requires_grad(true) first",
                                                  describe(), shape().str()));
  const std::uint64_t id = detail::next_hook_id();
  detail::extras_of(*impl_->node).hooks.push_back({id, impl_->output, std::move(hook)});
  return HookHandle(*this, id);
}

void HookHandle::remove() {
  if (!tensor_.defined()) return;
  std::erase_if(detail::extras_of(*tensor_.impl()->node).hooks,
                [&](const detail::Hook& h) { return h.id == id_; });
  tensor_ = Tensor();
}

void Tensor::assign(const Tensor& src) const {
  detail::require_leaf("assign", *this);
  if (!src.defined())
    throw ValueError("assign", fmt::format("the values for {} of shape {} are an undefined tensor: give it a "
                                           "value first",
                                           describe(), shape().str()));
  if (!broadcasts_to(src.shape(), shape()))
    throw ShapeError("assign",
                     fmt::format("values of shape {} do not broadcast to {} of shape {}: reshape them",
                                 src.shape().str(), describe(), shape().str()));
  if (is_floating(src.dtype()) && !is_floating(dtype()))
    throw DTypeError(
        "assign", fmt::format("{} values would lose their fractions in {} of dtype {}: convert with astype "
                              "first",
                              xgrad::name(src.dtype()), describe(), xgrad::name(dtype())));
  Array& a = impl_->array;
  for (int i = 0; i < a.rank(); ++i)
    if (a.stride(i) == 0 && a.size(i) > 1)
      throw GraphError("assign",
                       fmt::format("{} of shape {} is a broadcast view, whose elements share memory: "
                                   "assign to a copy, by contiguous()",
                                   describe(), shape().str()));
  // A source that overlaps would change while it is read.
  const Array values = src.array().shares_storage_with(a) ? src.array().copy() : src.array();
  a.copy_in(values);
  a.bump_version();
}

std::string_view Tensor::name() const {
  array();
  return impl_->node != nullptr ? detail::name_of(*impl_->node) : std::string_view();
}

void Tensor::set_name(std::string_view name) const {
  detail::require_leaf("set_name", *this);
  detail::extras_of(detail::make_leaf(*this)).name.set(name);
}

std::string Tensor::describe() const {
  if (impl_ == nullptr) return "an undefined tensor";
  const detail::Node* n = impl_->node;
  if (n == nullptr) return "a tensor";
  if (!n->is_leaf) return fmt::format("the result of {}", n->op_name());
  const std::string_view name = detail::name_of(*n);
  return name.empty() ? "a tensor" : fmt::format("\"{}\"", name);
}

Tensor Tensor::astype(DType t) const { return xgrad::astype(*this, t); }
Tensor Tensor::broadcast_to(const Shape& shape) const { return xgrad::broadcast_to(*this, shape); }
Tensor& Tensor::operator+=(const Tensor& o) & { return *this = add(*this, o); }

}  // namespace xgrad::inline v0
