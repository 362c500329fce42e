#include <fmt/core.h>

#include <cmath>
#include <xgrad/core/create.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/core/require.hpp>
#include <xgrad/nn/keras.hpp>
#include <xgrad/nn/layers.hpp>
#include <xgrad/nn/observe.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/index.hpp>
#include <xgrad/ops/linalg.hpp>
#include <xgrad/ops/norm.hpp>
#include <xgrad/ops/random.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad::inline v0::nn {

using detail::observed;
using init::Initializer;

namespace {

void require_positive(std::string_view layer, std::string_view what, std::int64_t n) {
  if (n <= 0) throw ValueError(layer, fmt::format("{} = {} is no size: give a positive number", what, n));
}

void require_eps(std::string_view layer, double eps) {
  if (!(eps >= 0 && eps < INFINITY))
    throw ValueError(layer,
                     fmt::format("eps = {} is no small number: give one that is 0 or more, as 1e-5", eps));
}

/// Weights are of a dtype that can be trained.
void require_floating(std::string_view layer, const std::optional<DType>& dtype) {
  if (dtype && !is_floating(*dtype))
    throw DTypeError(layer, fmt::format("{} weights cannot be trained: leave .dtype out, or give float32 or "
                                        "float64",
                                        name(*dtype)));
}

/// Draws from `chosen`, or from what the layer's default is in PyTorch or Keras.
Tensor draw(const Initializer& chosen, const Initializer& pytorch, const Initializer& keras,
            const Shape& shape, const std::optional<DType>& dtype) {
  const Initializer& i = chosen.kind() == Initializer::Kind::pytorch ? pytorch
                         : chosen.kind() == Initializer::Kind::keras ? keras
                                                                     : chosen;
  return i(shape, dtype);
}

}  // namespace

Linear::Linear(std::int64_t in, std::int64_t out, const LinearOptions& options) {
  require_positive("Linear", "in", in);
  require_positive("Linear", "out", out);
  check_shape("Linear", {out, in});
  require_floating("Linear", options.dtype);
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  const Initializer pytorch = init::uniform(-bound, bound);
  weight = Parameter(draw(options.init, pytorch, init::glorot_uniform(), {out, in}, options.dtype));
  if (!options.bias) return;
  const bool keras = options.init.kind() == Initializer::Kind::keras;
  bias = Parameter(
      draw(options.bias_init, keras ? init::zeros() : pytorch, init::zeros(), {out}, options.dtype));
}

Tensor Linear::operator()(const Tensor& x) const { return observed(*this, linear(x, weight, bias)); }

void Linear::load_keras(KerasWeights& from) const {
  from.take(weight, "weight", {1, 0});
  from.take(bias, "bias");
}

Dropout::Dropout(double probability) : p(probability) {
  if (!(p >= 0 && p <= 1))
    throw ValueError("Dropout", fmt::format("p = {} is not a probability: give one in [0, 1]", p));
}

Tensor Dropout::operator()(const Tensor& x) const {
  return observed(*this, mode.training() ? dropout(x, p) : x);
}

Tensor Flatten::operator()(const Tensor& x) const { return observed(*this, flatten(x, first, last)); }

Embedding::Embedding(std::int64_t count, std::int64_t width, const EmbeddingOptions& options) {
  require_positive("Embedding", "count", count);
  require_positive("Embedding", "width", width);
  check_shape("Embedding", {count, width});
  require_floating("Embedding", options.dtype);
  weight = Parameter(
      draw(options.init, init::normal(), init::uniform(-0.05, 0.05), {count, width}, options.dtype));
}

Tensor Embedding::operator()(const Tensor& indices) const {
  xgrad::detail::require_defined("Embedding", indices);
  if (!is_integer(indices.dtype()))
    throw DTypeError("Embedding", fmt::format("indices of shape {} are {}: give integers, by astype(int64)",
                                              indices.shape().str(), name(indices.dtype())));
  // Indexing counts negative ones from the end; here they are more likely padding that was left in.
  const std::int64_t count = weight.size(0);
  if (indices.numel() > 0)
    for (const Tensor& extreme : {min(indices), max(indices)})
      if (const auto i = extreme.item<std::int64_t>(); i < 0 || i >= count)
        throw IndexError(
            "Embedding",
            fmt::format("index {} among those of shape {} is no row of {}, of shape {}: give "
                        "indices in [0, {})",
                        i, indices.shape().str(), weight.describe(), weight.shape().str(), count));
  return observed(*this, index(weight, {indices}));
}

LayerNorm::LayerNorm(const Shape& normalized_shape, const LayerNormOptions& options)
    : shape(normalized_shape), eps(options.eps) {
  if (shape.empty()) throw ValueError("LayerNorm", "the shape is empty: give the sizes of the last axes");
  for (std::int64_t n : shape) require_positive("LayerNorm", "size", n);
  check_shape("LayerNorm", shape);
  require_eps("LayerNorm", eps);
  require_floating("LayerNorm", options.dtype);
  if (!options.affine) return;
  weight = Parameter(init::ones()(shape, options.dtype));
  if (options.bias) bias = Parameter(init::zeros()(shape, options.dtype));
}

Tensor LayerNorm::operator()(const Tensor& x) const {
  return observed(*this, layer_norm(x, shape, weight, bias, eps));
}

BatchNorm1d::BatchNorm1d(std::int64_t features, const BatchNormOptions& options)
    : momentum(options.momentum), eps(options.eps) {
  require_positive("BatchNorm1d", "features", features);
  check_shape("BatchNorm1d", {features});
  require_eps("BatchNorm1d", eps);
  require_floating("BatchNorm1d", options.dtype);
  if (momentum && !(*momentum >= 0 && *momentum <= 1))
    throw ValueError("BatchNorm1d",
                     fmt::format("momentum = {} is no share: give that of the batch, in [0, 1]", *momentum));
  const Shape shape{features};
  if (options.affine) {
    weight = Parameter(init::ones()(shape, options.dtype));
    bias = Parameter(init::zeros()(shape, options.dtype));
  }
  if (options.track_running_stats) {
    running_mean = Buffer(init::zeros()(shape, options.dtype));
    running_var = Buffer(init::ones()(shape, options.dtype));
    num_batches_tracked = Buffer(tensor(0));
  }
}

Tensor BatchNorm1d::operator()(const Tensor& x) const {
  xgrad::detail::require_defined("BatchNorm1d", x);
  if (x.rank() != 2 && x.rank() != 3)
    throw ShapeError("BatchNorm1d", fmt::format("x has shape {} of {} axes: give (N, C) or (N, C, L)",
                                                x.shape().str(), x.rank()));
  // Said here and not by the op, before any of the statistics is written.
  for (const Tensor* of_features : std::initializer_list<const Tensor*>{&weight, &running_mean}) {
    if (!of_features->defined()) continue;
    if (of_features->numel() != x.size(1))
      throw ShapeError("BatchNorm1d",
                       fmt::format("x has shape {} and the layer {} features: give x (N, {}), or "
                                   "make the layer with {}",
                                   x.shape().str(), of_features->numel(), of_features->numel(), x.size(1)));
    if (of_features->dtype() != x.dtype())
      throw DTypeError("BatchNorm1d",
                       fmt::format("x of shape {} is {} and the layer {}: convert x with astype",
                                   x.shape().str(), name(x.dtype()), name(of_features->dtype())));
  }
  const bool train = mode.training();
  if (!train && running_mean.defined())
    return observed(*this, batch_norm(x, running_mean, running_var, weight, bias, eps));
  const std::int64_t n = x.size(1) == 0 ? 0 : x.numel() / x.size(1);
  if (train && n == 1)
    throw ShapeError("BatchNorm1d",
                     fmt::format("x has shape {}: one value a feature has no variance to train "
                                 "with: give a larger batch, or eval the model",
                                 x.shape().str()));
  const BatchNormResult r = batch_norm_train(x, weight, bias, eps);
  if (train && running_mean.defined()) {
    const NoGrad no_grad;
    num_batches_tracked.assign(num_batches_tracked + 1);
    const double share = momentum ? *momentum : 1 / num_batches_tracked.item<double>();
    const double unbiased = static_cast<double>(n) / static_cast<double>(n - 1);
    running_mean.assign(running_mean * (1 - share) + r.mean.detach() * share);
    running_var.assign(running_var * (1 - share) + r.var.detach() * (share * unbiased));
  }
  return observed(*this, r.y);
}

void BatchNorm1d::load_keras(KerasWeights& from) const {
  from.take(weight, "weight");
  from.take(bias, "bias");
  from.take(running_mean, "running_mean");
  from.take(running_var, "running_var");
}

}  // namespace xgrad::inline v0::nn
