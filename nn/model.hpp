#pragma once
#include <string>

#include <xgrad/core/function.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/nn/visit.hpp>

/// What can be done with a model, whatever its type: any struct that the walk of <xgrad/nn/visit.hpp>
/// accepts. Copying a model shares its weights, as copying a Tensor does; `clone` does not.
namespace xgrad::inline v0::nn {

/// Options of `state_dict`.
struct StateDictOptions {
  bool copy = false;  ///< values of their own, which further training does not change
};

/// Options of `load_state_dict`.
struct LoadOptions {
  bool strict = true;  ///< names that only one side has are errors
};

/// Options of `summary`.
struct SummaryOptions {
  std::optional<DType> dtype = {};  ///< of the input: the default dtype; int64 for an Embedding
};

namespace detail {

Parameters parameters(ModelRef model);
StateDict state_dict(ModelRef model, StateDictOptions options);
void load_state_dict(ModelRef model, const StateDict& state, LoadOptions options);
void load_keras(ModelRef model, std::span<const Tensor> arrays);
void set_mode(ModelRef model, bool training);
std::string summary(ModelRef model, const Shape* input, SummaryOptions options,
                    Tensor (*call)(const void* model, const Tensor& x));
/// Puts f(t, whether it is a parameter) in the place of each tensor; what was tied stays tied.
void replace_tensors(ModelRef model, const Function<Tensor(const Tensor&, bool)>& f);
void clone_tensors(ModelRef model);
void prepare_leaves(ModelRef model);
void replace_by_gradients(ModelRef model, const Tensor& value);

}  // namespace detail

/// The parameters, each once, in the order of the fields, under the first of its names. Frozen ones are among
/// them.
template <Model M>
Parameters parameters(const M& model) {
  return detail::parameters(model_ref(model));
}
/// The same: `for (const auto& [name, p] : named_parameters(model))`.
template <Model M>
Parameters named_parameters(const M& model) {
  return detail::parameters(model_ref(model));
}

/// Parameters and buffers under all of their names, in the order of the fields. The tensors share memory with
/// the model's, and so follow it, unless `.copy`.
template <Model M>
StateDict state_dict(const M& model, StateDictOptions options = {}) {
  return detail::state_dict(model_ref(model), options);
}

/// Assigns to the model's parameters and buffers, in place: whoever holds one sees the new values. Of a tied
/// parameter's names one suffices. Throws ValueError that lists every name that is missing or unexpected
/// (unless `.strict = false`), every shape and dtype that differs, and every tied parameter with two values;
/// nothing has changed then.
template <Model M>
void load_state_dict(M& model, const StateDict& state, LoadOptions options = {}) {
  detail::load_state_dict(model_ref(model), state, options);
}

/// Assigns what Keras's `model.get_weights()` gives, in that order and layout: layer by layer, trained before
/// not trained, kernels as (in, out), which are transposed. Floating dtypes are converted. Throws ValueError
/// that lists every array that does not fit, or that there are too few or too many; nothing has changed then.
template <Model M>
void load_keras(M& model, const std::vector<Tensor>& arrays) {
  detail::load_keras(model_ref(model), arrays);
}

/// Sets the mode of every module that has one: dropout drops, batch norm uses and updates batch statistics.
template <Model M>
void train(M& model) {
  detail::set_mode(model_ref(model), true);
}
/// Sets the mode of every module that has one to evaluation.
template <Model M>
void eval(M& model) {
  detail::set_mode(model_ref(model), false);
}

/// A model of the same structure and values that shares no memory with this one; tied parameters are tied in
/// it, frozen ones frozen. Gradients are not copied.
template <Model M>
M clone(const M& model) {
  M copy = model;
  detail::clone_tensors(model_ref(copy));
  return copy;
}

/// A table of the layers: name and type, shape of the output, number of parameters; layers whose parameters
/// were counted further up are marked "shared". The model is run once, on zeros of shape `input`, in
/// evaluation and unrecorded. Throws what the model throws.
template <Model M>
std::string summary(const M& model, const Shape& input, SummaryOptions options = {}) {
  return detail::summary(model_ref(model), &input, options, [](const void* m, const Tensor& x) -> Tensor {
    return (*static_cast<const M*>(m))(x);
  });
}
/// The same without shapes of outputs, for a model that is not called with one tensor.
template <Model M>
std::string summary(const M& model) {
  return detail::summary(model_ref(model), nullptr, {}, nullptr);
}

}  // namespace xgrad::inline v0::nn

namespace xgrad::inline v0 {

/// `value_and_grad(f)(model, …)`: the gradient is a model of the same type whose parameters are the
/// gradients: zeros where the value does not depend on them, undefined where they are frozen. The model is
/// not touched.
template <nn::Model M>
struct GradArgument<M> {
  using Gradient = M;
  static M prepare(const M& model) {
    M leaf = model;
    nn::detail::prepare_leaves(nn::model_ref(leaf));
    return leaf;
  }
  static M gradient(const Tensor& value, const M& leaf) {
    M result = leaf;
    nn::detail::replace_by_gradients(nn::model_ref(result), value);
    return result;
  }
};

}  // namespace xgrad::inline v0
