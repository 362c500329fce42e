#pragma once
#include <xgrad/core/tensor.hpp>

/// What the generic tests know of the ops: every op registers itself, with inputs to try it on, when a
/// program that contains a call of it starts.
namespace xgrad::inline v0 {

/// How one input of a sample is drawn.
struct SampleInput {
  enum class Kind : std::uint8_t { floating, integer, boolean };
  Shape shape;
  Kind kind = Kind::floating;
  double low = -1.0, high = 1.0;     ///< the range; integers in [low, high)
  std::vector<double> avoided = {};  ///< kinks: no value lies within `margin` of them
  double margin = 0.05;
  bool distinct = false;  ///< no two values close, nor those of other distinct inputs: no ties for max
  bool constant = false;  ///< never differentiated, though floating
};

namespace detail {
/// A copy of any op, as samples carry it.
class AnyOp {
 public:
  AnyOp() = default;
  template <class Op>
  explicit AnyOp(Op op)
      : op_(new Op(std::move(op))),
        clone_([](const void* p) -> void* { return new Op(*static_cast<const Op*>(p)); }),
        destroy_([](void* p) { delete static_cast<Op*>(p); }) {}
  AnyOp(const AnyOp& o) : op_(o.op_ ? o.clone_(o.op_) : nullptr), clone_(o.clone_), destroy_(o.destroy_) {}
  AnyOp(AnyOp&& o) noexcept : op_(std::exchange(o.op_, nullptr)), clone_(o.clone_), destroy_(o.destroy_) {}
  AnyOp& operator=(AnyOp o) noexcept {
    std::swap(op_, o.op_);
    std::swap(clone_, o.clone_);
    std::swap(destroy_, o.destroy_);
    return *this;
  }
  ~AnyOp() {
    if (op_ != nullptr) destroy_(op_);
  }
  const void* get() const { return op_; }

 private:
  void* op_ = nullptr;
  void* (*clone_)(const void*) = nullptr;
  void (*destroy_)(void*) = nullptr;
};
}  // namespace detail

/// Inputs for the generic tests: shapes, ranges and, for an op with attributes, an instance. By default
/// values are uniform in [-1, 1].
class Sample {
 public:
  explicit Sample(std::vector<Shape> shapes) {
    for (const Shape& s : shapes) inputs_.push_back({.shape = s});
  }
  template <class Op>
  Sample(Op op, std::vector<Shape> shapes) : Sample(std::move(shapes)) {
    op_ = detail::AnyOp(std::move(op));
  }

  /// All floating inputs lie in [low, high].
  Sample within(double low, double high) && {
    for (std::size_t i = 0; i < inputs_.size(); ++i) set_range(i, low, high);
    return std::move(*this);
  }
  /// Input `i` lies in [low, high].
  Sample within(std::size_t i, double low, double high) && {
    set_range(i, low, high);
    return std::move(*this);
  }
  /// No value lies within `margin` of one of the points, where the op has a kink.
  Sample avoiding(std::vector<double> points, double margin = 0.05) && {
    for (SampleInput& in : inputs_) {
      in.avoided = points;
      in.margin = margin;
    }
    return std::move(*this);
  }
  /// All values differ.
  Sample distinct() && {
    for (SampleInput& in : inputs_) in.distinct = true;
    return std::move(*this);
  }
  /// Input `i` is int64 in [low, high).
  Sample integers(std::size_t i, std::int64_t low, std::int64_t high) && {
    set_range(i, static_cast<double>(low), static_cast<double>(high));
    inputs_[i].kind = SampleInput::Kind::integer;
    return std::move(*this);
  }
  /// Input `i` is bool.
  Sample booleans(std::size_t i) && {
    inputs_[i].kind = SampleInput::Kind::boolean;
    return std::move(*this);
  }
  /// Input `i` is floating but has no gradient.
  Sample constant(std::size_t i) && {
    inputs_[i].constant = true;
    return std::move(*this);
  }

  /// For what only large inputs show: work that is cut for threads, long sums. Such a sample is checked for
  /// its value, its gradient kernel, float32 and equal bits on any number of threads, not by differences.
  Sample large() && {
    large_ = true;
    return std::move(*this);
  }

  const std::vector<SampleInput>& inputs() const { return inputs_; }
  std::vector<SampleInput>& inputs() { return inputs_; }
  /// The instance, or null for a default-constructed op.
  const void* op() const { return op_.get(); }
  bool is_large() const { return large_; }

 private:
  void set_range(std::size_t i, double low, double high) {
    inputs_[i].low = low;
    inputs_[i].high = high;
  }
  std::vector<SampleInput> inputs_;
  detail::AnyOp op_;
  bool large_ = false;
};

// `sample({3, 4})`, `sample({3, 4}, {4})`, `sample(Sum{.axes = 1}, {3, 4})`, …
inline Sample sample(const Shape& a) { return Sample({a}); }
inline Sample sample(const Shape& a, const Shape& b) { return Sample({a, b}); }
inline Sample sample(const Shape& a, const Shape& b, const Shape& c) { return Sample({a, b, c}); }
template <class Op>
Sample sample(Op op, const Shape& a) {
  return Sample(std::move(op), {a});
}
template <class Op>
Sample sample(Op op, const Shape& a, const Shape& b) {
  return Sample(std::move(op), {a, b});
}
template <class Op>
Sample sample(Op op, const Shape& a, const Shape& b, const Shape& c) {
  return Sample(std::move(op), {a, b, c});
}
/// For an op that takes any number of inputs.
template <class Op>
Sample sample_list(Op op, std::vector<Shape> shapes) {
  return Sample(std::move(op), std::move(shapes));
}

/// A registered op, or a function composed of ops, as the generic tests see it.
struct OpInfo {
  std::string_view name;
  std::vector<Sample> (*samples)() = nullptr;
  /// Runs it through `record`, with the sample's instance.
  Function<std::vector<Tensor>(const Sample&, std::span<const Tensor>)> apply;
  /// The reference of an elementwise op, else null. `op` is the sample's instance or null.
  long double (*scalar_reference)(const void* op, const long double* x) = nullptr;
  /// The reference on arrays of float64, else null.
  std::vector<Array> (*array_reference)(const void* op, std::span<const Array> x) = nullptr;
  int inputs = 1;  ///< -1: any number
  bool differentiable = true;
  bool has_vjp_kernel = false;
  bool several_results = false;
  bool composed = false;  ///< a function of other ops: its value needs no reference
};

/// Everything that has been registered, by name.
std::span<const OpInfo> registered_ops();
/// Adds to the registry; a second op of the same name is not added. Returns true.
bool register_op(OpInfo info);
/// Registers a function composed of ops for the generic tests: they check its derivatives and, where given,
/// its value.
bool register_function(std::string_view name, std::vector<Sample> (*samples)(),
                       Function<Tensor(std::span<const Tensor>)> f,
                       std::vector<Array> (*reference)(const void*, std::span<const Array>) = nullptr);

}  // namespace xgrad::inline v0
