#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <xgrad/core/extras.hpp>
#include <xgrad/optim/norm.hpp>
#include <xgrad/optim/optimizer.hpp>
#include <xgrad/optim/rule.hpp>

namespace xgrad::inline v0::optim {
namespace {

using detail::Group;
using detail::Slot;
using xgrad::detail::leaf_of;

void check_parameter(std::string_view op, const std::string& name, const Tensor& t) {
  if (!t.defined())
    throw ValueError(op, fmt::format("parameter \"{}\" is undefined: give it a value first", name));
  if (!is_floating(t.dtype()))
    throw DTypeError(
        op, fmt::format("parameter \"{}\" of shape {} is {}, which has no gradient: leave it out, or use "
                        "float32 or float64",
                        name, t.shape().str(), xgrad::name(t.dtype())));
  if (!t.is_leaf())
    throw GraphError(
        op, fmt::format("parameter \"{}\" of shape {} is {}, and a step would not reach what it was made "
                        "from: pass the leaves instead",
                        name, t.shape().str(), t.describe()));
  if (!t.array().is_dense())
    throw ShapeError(
        op, fmt::format("parameter \"{}\" is a view of shape {} with strides {}, whose elements do not "
                        "fill one stretch of memory: use a copy of its own",
                        name, t.shape().str(), t.array().strides().str()));
}

/// Points the slot to the gradient in its parameter's layout, to a copy unless it lies so.
void match_layout(Slot& slot, const Array& grad, std::vector<Array>& copies) {
  const Array& values = slot.parameter.array();
  if (grad.strides() == values.strides()) return;
  copies.push_back(Array::empty_like(values, values.shape(), values.dtype()));
  copies.back().copy_in(grad);
  slot.grad = copies.back().bytes();
}

/// Makes the first `count` states that are not there yet: zeros.
void make_states(Slot& slot, std::size_t count) {
  const Array& values = slot.parameter.array();
  for (std::size_t k = 0; k < count; ++k) {
    Array& state = slot.states[k];
    if (!state.defined()) {
      state = Array::empty_like(values, values.shape(), values.dtype());
      std::fill_n(state.mutable_bytes(), state.nbytes(), std::byte{0});
    }
    slot.state_data[k] = state.mutable_bytes();
  }
  slot.ready = true;
}

bool same_step(const Slot& a, const Slot& b) { return a.steps == b.steps && a.dtype == b.dtype; }

/// The factor that brings the gradients' norm down to `clip_norm`, where it is larger.
double clip_scale(const std::vector<Slot*>& slots, double clip_norm) {
  thread_local std::vector<detail::Vector> grads;  // kept, so that a training step allocates nothing
  grads.clear();
  for (const Slot* s : slots) grads.push_back({s->grad, s->size, s->dtype});
  return detail::clip_factor(detail::norm(grads), clip_norm);
}

/// Puts the slot's states, named `from`, in the order of `to`. Those that are not in `from` are made in the
/// next step, as zeros.
void arrange(Slot& slot, const std::vector<std::string_view>& from, const std::vector<std::string_view>& to) {
  Array states[detail::max_states];
  for (std::size_t k = 0; k < to.size(); ++k) {
    const auto at = std::find(from.begin(), from.end(), to[k]);
    if (at != from.end()) states[k] = std::move(slot.states[at - from.begin()]);
  }
  std::move(std::begin(states), std::end(states), std::begin(slot.states));
  slot.ready = false;
}

constexpr std::string_view step_suffix = "step";
std::string key(const Slot& slot, std::string_view what) { return fmt::format("{}.{}", slot.name, what); }

}  // namespace

// ---- groups

int Optimizer::add_parameters(const ParameterList& parameters, std::vector<std::string_view> states) {
  std::unordered_map<const void*, std::string_view> tensors;
  std::unordered_map<std::string, const void*> names;
  std::size_t known = 0;
  for (const Group& g : groups_) {
    for (const Slot& s : g.slots) {
      tensors.emplace(s.parameter.impl(), s.name);
      names.emplace(s.name, s.parameter.impl());
      ++known;
    }
  }
  const std::size_t in_other_groups = known;
  Group group;
  for (const auto& [given, tensor] : parameters) {
    std::string name = given;
    if (name.empty() && tensor.defined()) name = tensor.name();
    if (name.empty()) name = std::to_string(known);
    check_parameter(this->name(), name, tensor);
    const auto [at, fresh] = tensors.emplace(tensor.impl(), name);
    if (!fresh) {
      const auto here =
          std::any_of(group.slots.begin(), group.slots.end(),
                      [impl = tensor.impl()](const Slot& s) { return s.parameter.impl() == impl; });
      if (here) continue;  // tied: one parameter under two names
      throw ValueError(
          this->name(),
          fmt::format("parameter \"{}\" belongs to another group already, as \"{}\": give each parameter "
                      "to one group, or move it with group(pattern, options)",
                      name, at->second));
    }
    if (!names.emplace(name, tensor.impl()).second)
      throw ValueError(this->name(),
                       fmt::format("two parameters, the second of shape {}, are called \"{}\": state is "
                                   "kept by name, so give them different ones",
                                   tensor.shape().str(), name));
    Slot& slot = group.slots.emplace_back();
    slot.parameter = tensor;
    slot.size = tensor.numel();
    slot.data = tensor.impl()->array.mutable_bytes();
    slot.dtype = tensor.dtype();
    slot.contiguous = tensor.array().is_contiguous();
    slot.name = name;
    ++known;
  }
  if (known == in_other_groups)
    throw ValueError(this->name(),
                     "the list of parameters is empty: pass nn::parameters(model), or tensors in braces");
  group.state_names = std::move(states);
  groups_.push_back(std::move(group));
  return groups() - 1;
}

int Optimizer::split_group(std::string_view pattern, std::vector<std::string_view> states) {
  nn::Parameters all;
  for (int k = 0; k < groups(); ++k)
    for (const NamedTensor& p : parameters(k)) all.push_back(p);
  std::unordered_set<std::string> names;
  for (const NamedTensor& p : all.matching(pattern)) names.insert(p.name);
  if (names.empty())
    throw ValueError(name(),
                     fmt::format("no parameter's name matches \"{}\": * stands for any characters, as in "
                                 "\"*.bias\"",
                                 pattern));
  Group picked;
  for (Group& g : groups_) {
    for (const Slot& s : g.slots) {
      if (!names.contains(s.name)) continue;
      picked.slots.push_back(s);
      arrange(picked.slots.back(), g.state_names, states);
    }
    std::erase_if(g.slots, [&](const Slot& s) { return names.contains(s.name); });
  }
  picked.state_names = std::move(states);
  groups_.push_back(std::move(picked));
  return groups() - 1;
}

void Optimizer::set_states(int group, std::vector<std::string_view> names) {
  Group& g = groups_[static_cast<std::size_t>(group)];
  for (Slot& slot : g.slots) arrange(slot, g.state_names, names);
  g.state_names = std::move(names);
}

void Optimizer::check_group(int group) const {
  if (group < 0 || group >= groups())
    throw IndexError(name(), fmt::format("group {} of {}: use 0 to {}", group, groups(), groups() - 1));
}

nn::Parameters Optimizer::parameters(int group) const {
  check_group(group);
  nn::Parameters list;
  for (const Slot& s : groups_[static_cast<std::size_t>(group)].slots) list.push_back({s.name, s.parameter});
  return list;
}

// ---- options

void check_option(std::string_view op, std::string_view option, double value, double low, double high) {
  if (value >= low && value < high) return;
  throw ValueError(
      op, fmt::format("option {} = {} is outside [{}, {}): give a value within", option, value, low, high));
}

void Optimizer::check_common(const detail::CommonOptions& o, std::size_t states) const {
  if (states > detail::max_states)
    throw ValueError(name(),
                     fmt::format("the rule names {} states: {} is the most", states, detail::max_states));
  check_option(name(), "lr", o.lr, 0);
  check_option(name(), "weight_decay", o.decay, 0);
  for (const auto& [option, value] :
       {std::pair{"clip_norm", o.clip_norm}, std::pair{"clip_value", o.clip_value}})
    if (!(value > 0))
      throw ValueError(
          name(), fmt::format("option {} = {} would stop all learning: give a positive value, or leave it "
                              "out for none",
                              option, value));
}

double Optimizer::lr(int group) const {
  check_group(group);
  return common(group).lr;
}
void Optimizer::set_lr(double lr, int group) {
  check_group(group);
  check_option(name(), "lr", lr, 0);
  lr_of(group) = lr;
}
void Optimizer::set_lr(double lr) {
  for (int k = 0; k < groups(); ++k) set_lr(lr, k);
}

// ---- the step

void Optimizer::zero_grad() const {
  for (const Group& g : groups_)
    for (const Slot& s : g.slots)
      if (auto* leaf = leaf_of(s.parameter)) leaf->grad = Tensor();
}

/// Lists the parameters that have gradients in `active_`. Returns whether they are alike: one batch.
bool Optimizer::gather(Group& group) {
  if (!copies_.empty()) copies_.clear();
  active_.resize(group.slots.size());
  std::size_t count = 0;
  bool alike = true;
  for (Slot& slot : group.slots) {
    const auto* leaf = leaf_of(slot.parameter);
    if (leaf == nullptr || !leaf->grad.defined() || !slot.parameter.requires_grad()) continue;
    const Array& grad = leaf->grad.impl()->array;
    slot.grad = grad.bytes();
    if (!(slot.contiguous && grad.is_contiguous())) [[unlikely]]
      match_layout(slot, grad, copies_);
    if (!slot.ready) [[unlikely]]
      make_states(slot, group.state_names.size());
    alike = alike && (count == 0 || same_step(slot, *active_[0]));
    active_[count++] = &slot;
  }
  active_.resize(count);
  return alike;
}

void Optimizer::update_alike(std::size_t begin, std::size_t end, int group,
                             const detail::CommonOptions& options, double scale) {
  const Slot& first = *active_[begin];
  std::int64_t extent = 0;
  for (std::size_t i = begin; i < end; ++i) {
    active_[i]->offset = extent;
    extent += (active_[i]->size + 63) / 64 * 64;
  }
  const std::size_t states = groups_[static_cast<std::size_t>(group)].state_names.size();
  update({&active_[begin], end - begin, extent, group, static_cast<int>(states), first.steps + 1, first.dtype,
          scale, options.clip_value, options.decay});
  for (std::size_t i = begin; i < end; ++i) {
    ++active_[i]->steps;
    active_[i]->parameter.impl()->array.bump_version();
  }
}

void Optimizer::step_group(int k, bool zero_grad) {
  const bool alike = gather(groups_[static_cast<std::size_t>(k)]);
  const detail::CommonOptions options = common(k);
  const double scale = options.clip_norm == INFINITY ? 1 : clip_scale(active_, options.clip_norm);
  const std::size_t count = active_.size();
  for (std::size_t begin = 0, end; begin < count; begin = end) {
    end = count;
    if (!alike) {  // those that are like the first one come next
      end = begin + 1;
      for (std::size_t i = end; i < count; ++i)
        if (same_step(*active_[i], *active_[begin])) std::swap(active_[i], active_[end++]);
    }
    update_alike(begin, end, k, options, scale);
  }
  if (zero_grad)
    for (const Slot* slot : active_) leaf_of(slot->parameter)->grad = Tensor();
}

void Optimizer::step(StepOptions options) {
  for (int k = 0; k < groups(); ++k) step_group(k, options.zero_grad);
}

namespace detail {
void throw_state_count(std::string_view rule, int declared, int taken) {
  throw ValueError(rule, fmt::format("states() names {} states and the update takes {}: make them agree",
                                     declared, taken));
}
}  // namespace detail

void Power::start(double base, std::int64_t block) {
  if (base != base_ || block_ < 0) {
    low_[0] = 1;
    for (int i = 1; i < 64; ++i) low_[i] = low_[i - 1] * base;
    base_ = base;
  }
  block_ = block;
  high_ = 1;
  double square = low_[63] * base;
  for (; block != 0; block >>= 1, square *= square)
    if (block & 1) high_ *= square;
}

// ---- state

StateDict Optimizer::state_dict() const {
  StateDict state;
  for (const Group& g : groups_) {
    for (const Slot& s : g.slots) {
      state.push_back({key(s, step_suffix), Tensor(Array::scalar(s.steps))});
      for (std::size_t k = 0; k < g.state_names.size(); ++k)
        if (s.states[k].defined()) state.push_back({key(s, g.state_names[k]), Tensor(s.states[k].copy())});
    }
  }
  return state;
}

void Optimizer::load_state_dict(const StateDict& state) {
  constexpr std::string_view op = "load_state_dict";
  std::unordered_map<std::string_view, const Tensor*> entries;
  for (const auto& [name, tensor] : state) {
    if (!tensor.defined())
      throw ValueError(op, fmt::format("entry \"{}\" is undefined: save the state again", name));
    if (!entries.emplace(name, &tensor).second)
      throw ValueError(op, fmt::format("two entries are called \"{}\": each name may occur once", name));
  }
  const auto take = [&](const std::string& name, const Shape& shape, DType dtype) -> const Array& {
    const auto at = entries.find(name);
    if (at == entries.end())
      throw ValueError(
          op, fmt::format("{} needs \"{}\", which is not among the {} entries given: load the state of the "
                          "same optimizer with the same options over the same parameters",
                          this->name(), name, state.size()));
    const Array& a = at->second->array();
    if (a.shape() != shape)
      throw ShapeError(op, fmt::format("\"{}\" has shape {}, and {} here: load the state of the same model",
                                       name, a.shape().str(), shape.str()));
    if (a.dtype() != dtype)
      throw DTypeError(op, fmt::format("\"{}\" is {}, and {} here: convert it with astype first", name,
                                       xgrad::name(a.dtype()), xgrad::name(dtype)));
    entries.erase(at);
    return a;
  };

  struct Loaded {
    std::int64_t steps;
    Array states[detail::max_states];
  };
  std::vector<Loaded> loaded;
  for (const Group& g : groups_) {
    for (const Slot& s : g.slots) {
      Loaded& l = loaded.emplace_back();
      l.steps = *take(key(s, step_suffix), {}, DType::int64).data<std::int64_t>();
      if (l.steps < 0)
        throw ValueError(
            op, fmt::format("\"{}\" is {}: a count of steps is not negative", key(s, step_suffix), l.steps));
      for (std::size_t k = 0; l.steps > 0 && k < g.state_names.size(); ++k) {
        const Array& values = s.parameter.array();
        l.states[k] = Array::empty_like(values, values.shape(), values.dtype());
        l.states[k].copy_in(take(key(s, g.state_names[k]), values.shape(), values.dtype()));
      }
    }
  }
  if (!entries.empty()) {
    std::string_view first = entries.begin()->first;
    for (const auto& [name, tensor] : entries) first = std::min(first, name);
    throw ValueError(
        op, fmt::format("{} has no place for {} of the entries, \"{}\" among them: load the state of the "
                        "same optimizer with the same options over the same parameters",
                        name(), entries.size(), first));
  }
  auto from = loaded.begin();
  for (Group& g : groups_) {
    for (Slot& s : g.slots) {
      s.steps = from->steps;
      std::move(std::begin(from->states), std::end(from->states), std::begin(s.states));
      s.ready = false;
      ++from;
    }
  }
}

}  // namespace xgrad::inline v0::optim
