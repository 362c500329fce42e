#pragma once
#include <cmath>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <xgrad/nn/parameter.hpp>

/// Optimizers: what all of them share. Each one is a rule (adam.hpp, sgd.hpp, …) that says how one element of
/// a parameter moves; rule.hpp shows how to write another.
namespace xgrad::inline v0::optim {

/// The parameters that an optimizer is given: `nn::parameters(model)`, or tensors in braces. Names come from
/// the list, else from the tensors, else they are numbers. A tensor that occurs twice counts once.
class ParameterList {
 public:
  ParameterList(const nn::Parameters& parameters) : items_(parameters.begin(), parameters.end()) {}
  ParameterList(const std::vector<Tensor>& parameters) {
    for (const Tensor& t : parameters) items_.push_back({{}, t});
  }
  ParameterList(std::initializer_list<Tensor> parameters) {
    for (const Tensor& t : parameters) items_.push_back({{}, t});
  }

  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  std::size_t size() const { return items_.size(); }

 private:
  std::vector<NamedTensor> items_;
};

struct StepOptions {
  bool zero_grad = false;  ///< make the gradients undefined again once they have been used
};

namespace detail {

inline constexpr int max_states = 4;

/// One parameter, and what the optimizer keeps of it: arrays of its shape, dtype and layout. What every step
/// reads comes first.
struct Slot {
  Tensor parameter;
  std::int64_t steps = 0;           // how often it was updated
  const std::byte* grad = nullptr;  // in the step that runs, in the parameter's layout
  std::int64_t offset = 0;          // and its place among the elements of the batch
  std::int64_t size = 0;
  std::byte* data = nullptr;
  std::byte* state_data[max_states] = {};
  DType dtype = DType::float32;
  bool contiguous = false;
  bool ready = false;  // the states that the group has are there

  std::string name = {};
  Array states[max_states] = {};
};

struct Group {
  std::vector<Slot> slots;
  std::vector<std::string_view> state_names;
};

/// Parameters that take the same step: of one group, one dtype, and updated equally often.
struct Batch {
  const Slot* const* slots;
  std::size_t count;
  std::int64_t extent;  // elements of all of them, each rounded up to whole cache lines
  int group;
  int state_count;
  std::int64_t step;  // 1 in the first update
  DType dtype;
  // What happens to the gradient g first: g ← clip(scale · g, ±limit) + decay · parameter
  double scale, limit, decay;
};

/// Those options of a group that do not depend on the rule.
struct CommonOptions {
  double lr, clip_norm, clip_value, decay;
};

}  // namespace detail

/// The base of all optimizers. It neither copies (state would be shared) nor knows the rule.
///
///     optim::AdamW adam(nn::parameters(model), {.lr = 3e-4, .weight_decay = 0.1});
///     adam.group("*.bias", {.lr = 3e-4, .weight_decay = 0});
///     …
///     loss.backward();
///     adam.step({.zero_grad = true});
class Optimizer {
 public:
  Optimizer(Optimizer&&) noexcept = default;
  virtual ~Optimizer() = default;

  /// Updates every parameter that has a gradient and requires one, in one pass over it, its gradient and its
  /// state. The others keep their values, their state and their count of steps.
  void step(StepOptions options = {});
  /// Makes the gradients of all parameters undefined, which is what backward adds to as if to 0.
  void zero_grad() const;

  /// The learning rate of a group. Throws IndexError.
  double lr(int group = 0) const;
  /// Sets the learning rate of one group, or of every group. Throws ValueError unless finite and ≥ 0.
  void set_lr(double lr);
  void set_lr(double lr, int group);

  /// How many groups there are; each has options of its own.
  int groups() const { return static_cast<int>(groups_.size()); }
  /// The parameters of a group with their names. Throws IndexError.
  nn::Parameters parameters(int group = 0) const;
  /// The rule's name, "adam".
  virtual std::string_view name() const = 0;

  /// A copy of everything that `step` remembers: for each parameter "NAME.step" (int64), how often it was
  /// updated, and, once it was, one tensor for each of the rule's states, like "hidden.weight.exp_avg".
  /// Options, the learning rate among them, are not state.
  StateDict state_dict() const;
  /// Takes the state of `state_dict()` over: an optimizer with the same rule, options and parameters goes on
  /// as the saved one would have, to the bit. Throws ValueError for an entry that is missing or that no
  /// parameter here has, ShapeError and DTypeError for one that does not fit; nothing has changed then.
  void load_state_dict(const StateDict& state);

 protected:
  Optimizer() = default;

  /// A group of these parameters with states of these names. Returns its number. Throws as the constructor of
  /// OptimizerOf.
  int add_parameters(const ParameterList& parameters, std::vector<std::string_view> states);
  /// Moves the parameters whose names match into a group of their own. Returns its number.
  int split_group(std::string_view pattern, std::vector<std::string_view> states);
  /// Gives the group states of these names; those that it has already are kept.
  void set_states(int group, std::vector<std::string_view> names);
  void check_common(const detail::CommonOptions& options, std::size_t states) const;
  void check_group(int group) const;

  virtual detail::CommonOptions common(int group) const = 0;
  virtual double& lr_of(int group) = 0;
  /// Runs the rule.
  virtual void update(const detail::Batch& batch) = 0;

 private:
  void step_group(int group, bool zero_grad);
  bool gather(detail::Group& group);
  void update_alike(std::size_t begin, std::size_t end, int group, const detail::CommonOptions& options,
                    double scale);

  std::vector<detail::Group> groups_;
  std::vector<detail::Slot*> active_;  // in the step that runs
  std::vector<Array> copies_;          // gradients in their parameters' layout
};

/// Throws ValueError unless low ≤ value < high, naming the option. For the rules' checks.
void check_option(std::string_view op, std::string_view option, double value, double low,
                  double high = INFINITY);

/// base^t for t = 0, 1, 2, …, at one multiplication for most t when they come in order. The result depends on
/// base and t alone.
class Power {
 public:
  double operator()(double base, std::int64_t t) {
    if (base != base_ || (t >> 6) != block_) start(base, t >> 6);
    return high_ * low_[t & 63];
  }

 private:
  void start(double base, std::int64_t block);
  double base_ = 1, high_ = 1;
  std::int64_t block_ = -1;
  double low_[64];
};

/// The optimizer that follows a rule; rule.hpp says what a rule is.
template <class Rule>
class OptimizerOf final : public Optimizer {
 public:
  using Options = typename Rule::Options;

  /// Throws ValueError for options outside their domain, an empty list, an undefined tensor, or two tensors
  /// of one name, DTypeError for one that is not floating, GraphError for one that is no leaf, ShapeError for
  /// a view with gaps.
  explicit OptimizerOf(const ParameterList& parameters, const Options& options = {}) {
    check(options);
    add(parameters, options);
  }

  /// The options of a group. Throws IndexError.
  const Options& options(int group = 0) const {
    check_group(group);
    return parts_[static_cast<std::size_t>(group)].options;
  }
  /// Replaces them. State that the group has and still needs is kept. Throws ValueError, IndexError.
  void set_options(const Options& options, int group = 0) {
    check(options);
    check_group(group);
    set_states(group, Rule::states(options));
    parts_[static_cast<std::size_t>(group)].options = options;
  }

  /// A further group of parameters with options of its own. Returns its number. Throws as the constructor,
  /// and ValueError for a parameter that the optimizer has already.
  int group(const ParameterList& parameters, const Options& options) {
    check(options);
    return add(parameters, options);
  }
  /// Moves the parameters whose names match `pattern` (`*` stands for any characters: "*.bias")
  /// with their state into a group with options of its own. Returns its number. Throws ValueError when there
  /// are none.
  int group(std::string_view pattern, const Options& options) {
    check(options);
    const int k = split_group(pattern, Rule::states(options));
    parts_.push_back({options, Rule()});
    return k;
  }

  std::string_view name() const override { return Rule::name; }

 private:
  struct Part {
    Options options;
    Rule rule;
  };

  static detail::CommonOptions common_of(const Options& o) {
    detail::CommonOptions c{o.lr, INFINITY, INFINITY, 0};
    if constexpr (requires { o.clip_norm; }) c.clip_norm = o.clip_norm;
    if constexpr (requires { o.clip_value; }) c.clip_value = o.clip_value;
    if constexpr (
        requires { o.weight_decay; } && !requires { Rule::decoupled_weight_decay; })
      c.decay = o.weight_decay;
    return c;
  }
  void check(const Options& o) const {
    check_common(common_of(o), Rule::states(o).size());
    if constexpr (requires { Rule::check(o); }) Rule::check(o);
  }
  int add(const ParameterList& parameters, const Options& options) {
    const int k = add_parameters(parameters, Rule::states(options));
    parts_.push_back({options, Rule()});
    return k;
  }

  detail::CommonOptions common(int group) const override {
    return common_of(parts_[static_cast<std::size_t>(group)].options);
  }
  double& lr_of(int group) override { return parts_[static_cast<std::size_t>(group)].options.lr; }
  void update(const detail::Batch& batch) override;  // in rule.hpp

  std::vector<Part> parts_;  // one for each group
};

}  // namespace xgrad::inline v0::optim
