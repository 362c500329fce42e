#pragma once
#include <optional>
#include <span>
#include <vector>

#include <xgrad/core/create.hpp>
#include <xgrad/core/tensor.hpp>

/// Samples in memory, and what is done to them before training.
namespace xgrad::inline v0::data {

/// Samples with their targets: row i of each member belongs to sample i. From whatever a Tensor can be made
/// of: `Dataset{tensor(xarray), tensor(vector, {n, 1})}`.
struct Dataset {
  Tensor x = {};              ///< (N, …)
  Tensor y = {};              ///< (N, …) or, where nobody needs targets, undefined
  Tensor sample_weight = {};  ///< (N), or undefined: all samples count the same

  bool defined() const { return x.defined(); }
  /// The number N of samples.
  std::int64_t size() const { return x.size(0); }
};

/// Throws, naming `op`, unless `d` has samples and as many rows in each member: ValueError for an undefined x
/// or no samples, ShapeError for sizes that differ.
void check(std::string_view op, const Dataset& d);

/// A tensor (N, M) of N rows of M numbers. Throws ShapeError unless all rows have one length.
template <class T>
Tensor rows(const std::vector<std::vector<T>>& values, const TensorOptions& options = {});

/// Rows `first`, …, `first` + `count` - 1 of each member, without a copy. Throws IndexError when they are out
/// of range.
Dataset slice(const Dataset& d, std::int64_t first, std::int64_t count);

/// The rows with these numbers, copied, in this order. Throws IndexError for one that is out of range.
Dataset take(const Dataset& d, std::span<const std::int64_t> indices);

struct SplitOptions {
  bool shuffle = false;                    ///< choose the validation samples at random
  std::optional<std::uint64_t> seed = {};  ///< by this seed, by default drawn from the thread's generator
};
struct Split {
  Dataset train;
  Dataset validation;
};
/// Sets a share of the samples aside: the last ⌈share · N⌉ of them as they are, without a copy, or as many
/// drawn at random: `auto [train, validation] = data::split(set, 0.1)`. Counted as Keras does: the training
/// part has ⌊(1 - share) N⌋. Throws ValueError unless share is in (0, 1) and both parts have samples.
Split split(const Dataset& d, double share, SplitOptions options = {});

/// `split` without shuffling; errors name `op`.
Split split_last(std::string_view op, const Dataset& d, double share);

struct NormalizerOptions {
  Axes axes = 0;  ///< what is averaged over: axis 0 treats every feature by itself, `every_axis` all alike
};

/// (x - mean) / std with mean and standard deviation (ddof 0) of the training data, to be applied to whatever
/// goes into the model:
///
///     data::Normalizer normalize(x_train);
///     trainer.fit(normalize(x_train), y_train);
///     trainer.evaluate(normalize(x_test), y_test);
///
/// Sums are formed in double. A feature that never varies has std 1 here, and becomes 0.
class Normalizer {
 public:
  /// Measures `train`, of any numeric dtype. Throws ValueError for no elements and for a NaN or an infinity
  /// among them, DTypeError for bool.
  explicit Normalizer(const Tensor& train, const NormalizerOptions& options = {});

  /// Floating: `x`'s dtype if it is, else the default dtype. Throws ShapeError unless `x` broadcasts with the
  /// mean to its own shape.
  Tensor operator()(const Tensor& x) const;

  /// float64, of the shape of the training data with 1 in the axes averaged over.
  const Tensor& mean() const { return mean_; }
  const Tensor& std() const { return std_; }

 private:
  Tensor mean_, std_;
};

// ---- implementation

namespace detail {
[[noreturn]] void throw_ragged_rows(std::size_t row, std::size_t have, std::size_t want);
}

template <class T>
Tensor rows(const std::vector<std::vector<T>>& values, const TensorOptions& options) {
  const std::size_t width = values.empty() ? 0 : values.front().size();
  std::vector<T> flat;
  flat.reserve(values.size() * width);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].size() != width) detail::throw_ragged_rows(i, values[i].size(), width);
    flat.insert(flat.end(), values[i].begin(), values[i].end());
  }
  return tensor(flat, {static_cast<std::int64_t>(values.size()), static_cast<std::int64_t>(width)}, options);
}

}  // namespace xgrad::inline v0::data
