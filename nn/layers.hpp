#pragma once
#include <xgrad/nn/activations.hpp>
#include <xgrad/nn/init.hpp>
#include <xgrad/nn/parameter.hpp>

/// Layers: structs of parameters and a call. None has a backward pass: gradients come from the tape.
namespace xgrad::inline v0::nn {

class KerasWeights;

/// Options of Linear.
struct LinearOptions {
  bool bias = true;
  std::optional<DType> dtype = {};   ///< the default dtype
  init::Initializer init = {};       ///< of the weight; `init::keras()` stands for the bias too
  init::Initializer bias_init = {};  ///< as `init` has it: U(±1/√in), zeros with `init::keras()`
};

/// y = x weightᵀ + bias: x (…, in) → (…, out); weight (out, in), bias (out) or none.
struct Linear {
  static constexpr std::size_t fields = 2;
  /// Throws ValueError unless `in` and `out` are positive, and DTypeError unless the dtype is floating.
  Linear(std::int64_t in, std::int64_t out, const LinearOptions& options = {});
  /// Throws ShapeError for an x whose last axis is not `in`.
  Tensor operator()(const Tensor& x) const;
  void load_keras(KerasWeights& from) const;

  Parameter weight, bias;
};

/// In training each element of x is 0 with probability p, the others are divided by 1 - p; in evaluation x
/// itself (Srivastava et al. 2014).
struct Dropout {
  static constexpr std::size_t fields = 2;
  /// Throws ValueError unless p is in [0, 1].
  explicit Dropout(double probability = 0.5);
  Tensor operator()(const Tensor& x) const;

  double p;
  Mode mode;
};

/// Axes `first` to `last` as one: (N, …) → (N, -1).
struct Flatten {
  static constexpr std::size_t fields = 2;
  explicit Flatten(std::int64_t first_axis = 1, std::int64_t last_axis = -1)
      : first(first_axis), last(last_axis) {}
  Tensor operator()(const Tensor& x) const;

  std::int64_t first, last;
};

/// Options of Embedding.
struct EmbeddingOptions {
  std::optional<DType> dtype = {};  ///< the default dtype
  init::Initializer init = {};      ///< N(0, 1)
};

/// Row i of the weight for each index i: integers of any shape (…) → (…, width); weight (count, width).
struct Embedding {
  static constexpr std::size_t fields = 1;
  /// Throws ValueError unless both are positive.
  Embedding(std::int64_t count, std::int64_t width, const EmbeddingOptions& options = {});
  /// Throws DTypeError unless the indices are integers, IndexError for one outside [0, count).
  Tensor operator()(const Tensor& indices) const;

  Parameter weight;
};

/// Options of LayerNorm.
struct LayerNormOptions {
  double eps = 1e-5;  ///< 1e-3 in Keras
  bool affine = true;
  bool bias = true;
  std::optional<DType> dtype = {};  ///< the default dtype
};

/// (x - mean) / √(var + eps) · weight + bias, with the mean and the (biased) variance of each sample over the
/// last axes, which have the given shape (Ba et al. 2016). weight and bias have that shape; they begin as
/// ones and zeros.
struct LayerNorm {
  static constexpr std::size_t fields = 4;
  /// Throws ValueError for an empty shape and unless eps ≥ 0.
  explicit LayerNorm(const Shape& normalized_shape, const LayerNormOptions& options = {});
  explicit LayerNorm(std::int64_t size, const LayerNormOptions& options = {})
      : LayerNorm(Shape{size}, options) {}
  /// Throws ShapeError for an x whose last axes are not the shape.
  Tensor operator()(const Tensor& x) const;

  Parameter weight, bias;
  Shape shape;
  double eps;
};

/// Options of BatchNorm1d.
struct BatchNormOptions {
  double eps = 1e-5;  ///< 1e-3 in Keras
  /// The share of a batch's statistics in the running ones; none: their plain average. Keras's momentum m is
  /// 1 - m here, by default 0.01.
  std::optional<double> momentum = 0.1;
  bool affine = true;
  bool track_running_stats = true;  ///< else batches are normalised by their own statistics in evaluation too
  std::optional<DType> dtype = {};  ///< the default dtype
};

/// (x - mean) / √(var + eps) · weight + bias for each feature: x (N, C) or (N, C, L), all else (C) (Ioffe &
/// Szegedy 2015). In training mean and (biased) variance are the batch's, and running_mean and running_var
/// move towards it by the share `momentum`, the variance unbiased, as in PyTorch; in evaluation they are the
/// running ones.
struct BatchNorm1d {
  static constexpr std::size_t fields = 8;
  /// Throws ValueError unless `features` is positive, eps ≥ 0 and momentum within [0, 1].
  explicit BatchNorm1d(std::int64_t features, const BatchNormOptions& options = {});
  /// Throws ShapeError for an x of another rank or number of features, and in training for one value a
  /// feature, DTypeError for an x of another dtype.
  Tensor operator()(const Tensor& x) const;
  void load_keras(KerasWeights& from) const;

  Parameter weight, bias;
  Buffer running_mean, running_var, num_batches_tracked;
  std::optional<double> momentum;
  double eps;
  Mode mode;
};

}  // namespace xgrad::inline v0::nn
