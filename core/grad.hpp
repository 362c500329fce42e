#pragma once
#include <xgrad/core/require.hpp>

/// Differentiation: gradients as values, and guards that turn recording off.
namespace xgrad::inline v0 {

/// While it lives, this thread records nothing.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool previous_;
};

/// Whether operations of this thread are recorded.
bool grad_enabled();

/// While it lives, this thread checks each operation, forward and backward: the first one that makes a NaN or
/// an infinity from finite inputs throws a ValueError that names it and, for a backward pass, where the
/// user's code called the operation.
class Anomaly {
 public:
  Anomaly();
  ~Anomaly();
  Anomaly(const Anomaly&) = delete;
  Anomaly& operator=(const Anomaly&) = delete;

 private:
  bool previous_;
};

/// Options of `grad`.
struct GradOptions {
  bool create_graph = false;              ///< record the sweep, so that the gradients can be differentiated
  std::optional<bool> retain_graph = {};  ///< keep the history; by default as `create_graph`
  bool allow_unused = false;  ///< an input that the outputs do not depend on gives an undefined one
  std::vector<Tensor> grad_outputs =
      {};  ///< cotangents of the outputs; needed for those with several elements
};

/// The gradients of the sum of `outputs` (weighted by `.grad_outputs`) in each of `inputs`, leaves or
/// intermediates that require a gradient. Touches no `grad()`, so threads may share leaves. Throws GraphError
/// when an input does not require a gradient or, unless `.allow_unused`, when the outputs do not depend on
/// it.
std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const GradOptions& options = {});
/// The gradient of one output in one input.
Tensor grad(const Tensor& output, const Tensor& input, const GradOptions& options = {});
std::vector<Tensor> grad(const Tensor& output, const std::vector<Tensor>& inputs,
                         const GradOptions& options = {});

namespace detail {
/// For rules that are themselves written as a computation: the gradients of `output` in `inputs`, recorded if
/// recording is on. Unlike `grad` it looks no further than the inputs, so it may run inside a sweep that
/// holds their history. An input that gets none has an undefined one.
std::vector<Tensor> local_grad(const Tensor& output, const std::vector<Tensor>& inputs,
                               const Tensor& cotangent);
}  // namespace detail

/// How `value_and_grad` differentiates in an argument of type T; nn/ adds models.
template <class T>
struct GradArgument;

template <>
struct GradArgument<Tensor> {
  using Gradient = Tensor;
  /// A leaf with the values of `x`, cut from its history.
  static Tensor prepare(const Tensor& x) {
    detail::require_defined("value_and_grad", x);
    detail::require_floating("value_and_grad", x);
    Tensor leaf = x.detach();
    leaf.set_requires_grad(true);
    return leaf;
  }
  static Tensor gradient(const Tensor& value, const Tensor& leaf) { return grad(value, leaf); }
};

template <class G>
struct ValueAndGrad {
  Tensor value;
  G grad;
};

/// A function that returns {f(x, …), d f(x, …) / dx} for its first argument x: a Tensor, or a model, whose
/// gradient comes in a struct of the model's own shape. f returns a tensor of one element. Nothing's `grad()`
/// is touched.
template <class F>
auto value_and_grad(F f) {
  return [f = std::move(f)]<class X, class... Rest>(const X& x, const Rest&... rest) {
    using A = GradArgument<X>;
    auto leaf = A::prepare(x);
    Tensor value = f(leaf, rest...);
    auto gradient = A::gradient(value, leaf);
    return ValueAndGrad<typename A::Gradient>{value.detach(), std::move(gradient)};
  };
}

}  // namespace xgrad::inline v0
