#include <xgrad/nn/model.hpp>

#include <fmt/format.h>

#include <cstring>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <xgrad/core/extras.hpp>

namespace xgrad::inline v0::nn::detail {

namespace {

/// A place of a model that holds a tensor.
struct Place {
  std::string path;
  Tensor tensor;
  bool trained;
  std::size_t first;  // the place at which this tensor was met first
};

struct Collector final : Visitor {
  std::vector<Place> places;

  void parameter(Parameter& p) override { add(p, true); }
  void buffer(Buffer& b) override { add(b, false); }

 private:
  void add(const Tensor& t, bool trained) {
    const std::size_t first = first_.try_emplace(t.impl(), places.size()).first->second;
    places.push_back({path(), t, trained, first});
  }
  std::unordered_map<const void*, std::size_t> first_;
};

std::vector<Place> places_of(ModelRef model) {
  Collector c;
  model.visit(c);
  return std::move(c.places);
}

struct Replacer final : Visitor {
  explicit Replacer(const Function<Tensor(const Tensor&, bool)>& call) : f(call) {}
  void parameter(Parameter& p) override { p = Parameter::holding(replacement(p, true)); }
  void buffer(Buffer& b) override { b = Buffer::holding(replacement(b, false)); }

  const Function<Tensor(const Tensor&, bool)>& f;

 private:
  /// Old tensors are kept, so that none is freed and its address taken by a later one.
  Tensor replacement(const Tensor& old, bool trained) {
    const auto [at, added] = done_.try_emplace(old.impl());
    if (added) at->second = {old, f(old, trained)};
    return at->second.second;
  }
  std::unordered_map<const void*, std::pair<Tensor, Tensor>> done_;
};

struct ModeSetter final : Visitor {
  explicit ModeSetter(bool value) : training(value) {}
  void mode(Mode& m) override { m.set(training); }
  bool training;
};

Tensor named_as(Tensor t, const Tensor& old) {
  xgrad::detail::offer_name(t, old.name());
  return t;
}

bool same_bytes(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  const Array x = a.array().contiguous(), y = b.array().contiguous();
  return x.numel() == 0 || std::memcmp(x.bytes(), y.bytes(), x.nbytes()) == 0;
}

/// What `load_state_dict` has found so far.
class Loading {
 public:
  Loading(std::vector<Place> places, const StateDict& state, LoadOptions options)
      : places_(std::move(places)), state_(state), options_(options) {}

  void run() {
    index_state();
    for (std::size_t i = 0; i < places_.size(); ++i) match(i);
    if (options_.strict) note_unmatched();
    if (!problems_.empty()) refuse();
    assign();
  }

 private:
  void index_state() {
    for (const NamedTensor& entry : state_) {
      if (!entry.tensor.defined())
        note("\"{}\" is undefined in the state", entry.name);
      else if (!entries_.try_emplace(entry.name, &entry.tensor).second)
        note("\"{}\" is twice in the state", entry.name);
    }
  }

  void match(std::size_t i) {
    const Place& p = places_[i];
    const auto entry = entries_.find(p.path);
    if (entry == entries_.end()) return;
    used_.insert(p.path);
    const Tensor& value = *entry->second;
    if (value.shape() != p.tensor.shape())
      note("\"{}\" has shape {} and the state's {}", p.path, p.tensor.shape().str(), value.shape().str());
    else if (value.dtype() != p.tensor.dtype())
      note("\"{}\" is {} and the state's {}", p.path, name(p.tensor.dtype()), name(value.dtype()));
    const auto [source, added] = sources_.try_emplace(p.first, i);
    if (added) {
      pending_.push_back({&p.tensor, value});
    } else {
      const Place& other = places_[source->second];
      if (!same_bytes(*entries_.at(other.path), value))
        note("\"{}\" and \"{}\" are one tied parameter and the state has two values for it", other.path,
             p.path);
    }
  }

  void note_unmatched() {
    for (const Place& p : places_)
      if (!sources_.contains(p.first) && places_[p.first].path == p.path) note("\"{}\" is missing", p.path);
    for (const NamedTensor& entry : state_)
      if (!used_.contains(entry.name)) note("\"{}\" is unexpected", entry.name);
  }

  [[noreturn]] void refuse() const {
    throw ValueError(
        "load_state_dict",
        fmt::format("{} problem{}: {}: load the state of a model of this structure", problems_.size(),
                    problems_.size() == 1 ? "" : "s", fmt::join(problems_, "; ")));
  }

  /// Values that lie in the model's own memory are copied first: another assignment may change them.
  void assign() {
    for (auto& [target, value] : pending_)
      for (const Place& p : places_)
        if (p.tensor.array().shares_storage_with(value.array())) {
          value = Tensor(value.array().copy());
          break;
        }
    for (const auto& [target, value] : pending_) target->assign(value);
  }

  template <class... A>
  void note(fmt::format_string<A...> format, A&&... args) {
    problems_.push_back(fmt::format(format, std::forward<A>(args)...));
  }

  std::vector<Place> places_;
  const StateDict& state_;
  LoadOptions options_;
  std::unordered_map<std::string_view, const Tensor*> entries_;
  std::unordered_set<std::string_view> used_;
  std::unordered_map<std::size_t, std::size_t>
      sources_;  // first place of a tensor → the place that gives its value
  std::vector<std::pair<const Tensor*, Tensor>> pending_;
  std::vector<std::string> problems_;
};

}  // namespace

Parameters parameters(ModelRef model) {
  std::vector<NamedTensor> result;
  const std::vector<Place> places = places_of(model);
  for (std::size_t i = 0; i < places.size(); ++i)
    if (places[i].trained && places[i].first == i) result.push_back({places[i].path, places[i].tensor});
  return Parameters(std::move(result));
}

StateDict state_dict(ModelRef model, StateDictOptions options) {
  StateDict state;
  for (const Place& p : places_of(model))
    state.push_back({p.path, options.copy ? Tensor(p.tensor.array().copy()) : p.tensor.detach()});
  return state;
}

void load_state_dict(ModelRef model, const StateDict& state, LoadOptions options) {
  Loading(places_of(model), state, options).run();
}

void set_mode(ModelRef model, bool training) {
  ModeSetter setter(training);
  model.visit(setter);
}

void replace_tensors(ModelRef model, const Function<Tensor(const Tensor&, bool)>& f) {
  Replacer r(f);
  model.visit(r);
}

void clone_tensors(ModelRef model) {
  replace_tensors(model, [](const Tensor& old, bool) {
    Tensor copy(old.array().copy());
    if (old.requires_grad()) copy.set_requires_grad(true);
    return named_as(std::move(copy), old);
  });
}

void prepare_leaves(ModelRef model) {
  replace_tensors(model, [](const Tensor& old, bool trained) {
    if (!trained || !old.requires_grad()) return old;
    const Tensor leaf = old.detach();
    leaf.set_requires_grad(true);
    return named_as(leaf, old);
  });
}

void replace_by_gradients(ModelRef model, const Tensor& value) {
  std::vector<Tensor> wanted;
  for (const Place& p : places_of(model))
    if (p.trained && p.tensor.requires_grad()) wanted.push_back(p.tensor);
  const std::vector<Tensor> gradients =
      wanted.empty() ? std::vector<Tensor>() : grad(value, wanted, {.allow_unused = true});
  std::unordered_map<const void*, Tensor> of;
  for (std::size_t i = 0; i < wanted.size(); ++i) of.try_emplace(wanted[i].impl(), gradients[i]);
  replace_tensors(model, [&](const Tensor& leaf, bool trained) {
    if (!trained) return leaf;
    const auto g = of.find(leaf.impl());
    if (g == of.end()) return Tensor();
    return g->second.defined() ? g->second : Tensor(Array::full(leaf.shape(), 0, leaf.dtype()));
  });
}

}  // namespace xgrad::inline v0::nn::detail
