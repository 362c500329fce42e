#pragma once
#include <string>
#include <vector>

#include <xgrad/core/state_dict.hpp>

/// What a model's fields are: trained, saved, or a mode.
namespace xgrad::inline v0::nn {

namespace detail {

/// A tensor that a model owns. It reads as the Tensor that it is; operators that would make its handle name
/// another value are missing, because optimizers hold the first one: write `assign`.
class State : public Tensor {
 public:
  State() = default;

  Tensor& operator+=(const Tensor&) = delete;
  Tensor& operator-=(const Tensor&) = delete;
  Tensor& operator*=(const Tensor&) = delete;
  Tensor& operator/=(const Tensor&) = delete;
  void swap(Tensor&) = delete;

 protected:
  explicit State(Tensor t) : Tensor(std::move(t)) {}
  /// A leaf with the values of `t` and memory of its own: `t` itself if nobody else sees its memory.
  static Tensor own(std::string_view op, Tensor t, bool requires_grad);
};

}  // namespace detail

/// A tensor that is trained: `nn::Parameter scale{ones({8})};`. It requires a gradient unless frozen by
/// `set_requires_grad(false)`, and is found by `parameters` either way. Copying one shares it, which ties
/// weights: `decoder.weight = encoder.weight`. A default one is undefined and stands for no parameter (a
/// layer without bias). Throws DTypeError unless floating, ValueError for an undefined tensor.
class Parameter : public detail::State {
 public:
  Parameter() = default;
  explicit Parameter(Tensor values) : State(own("Parameter", std::move(values), true)) {}

  // For the functions that make models of one shape from another.
  static Parameter holding(Tensor t) {
    Parameter p;
    static_cast<Tensor&>(p) = std::move(t);
    return p;
  }
};

/// A tensor that is saved and loaded with the model and not trained: running statistics, a table of
/// positions. Written to with `assign`.
class Buffer : public detail::State {
 public:
  Buffer() = default;
  explicit Buffer(Tensor values) : State(own("Buffer", std::move(values), false)) {}

  static Buffer holding(Tensor t) {
    Buffer b;
    static_cast<Tensor&>(b) = std::move(t);
    return b;
  }
};

/// Whether a module trains or evaluates: a field of modules that differ in the two. `train(model)` and
/// `eval(model)` set it; a `ModeOverride` goes before it.
class Mode {
 public:
  /// Whether the module is to behave as in training.
  bool training() const;
  void set(bool training) { training_ = training; }
  /// What was set, whatever the thread's override says.
  bool set_to_training() const { return training_; }

 private:
  bool training_ = true;
};

/// While it lives, every module run by this thread trains (`true`) or evaluates (`false`), whatever its mode.
/// Nothing in the model is written, so threads may evaluate a model that another one holds in training mode.
class ModeOverride {
 public:
  explicit ModeOverride(bool training);
  ~ModeOverride();
  ModeOverride(const ModeOverride&) = delete;
  ModeOverride& operator=(const ModeOverride&) = delete;

 private:
  signed char previous_;
};

/// The parameters of a model, each once, with the first of its names, in the order of the fields. Optimizers
/// take it, keep their state under the names, and make groups of parts of it.
class Parameters {
 public:
  Parameters() = default;
  explicit Parameters(std::vector<NamedTensor> items) : items_(std::move(items)) {}

  std::size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  /// The one at place `i`. Throws IndexError when there is none.
  const NamedTensor& operator[](std::size_t i) const;
  /// The one called `name`. Throws ValueError when there is none.
  const Tensor& operator[](std::string_view name) const;
  void push_back(NamedTensor p) { items_.push_back(std::move(p)); }

  /// Those whose name matches a pattern in which `*` stands for any characters: `matching("*.bias")`.
  Parameters matching(std::string_view pattern) const;
  /// The others.
  Parameters except(std::string_view pattern) const;
  /// The number of elements of all together.
  std::int64_t numel() const;

 private:
  std::vector<NamedTensor> items_;
};

}  // namespace xgrad::inline v0::nn
