#pragma once
#include <xgrad/core/tensor.hpp>

/// Losses, called (prediction, target). Prediction and target of an elementwise loss have one shape: (N, 1)
/// against (N) is a ShapeError and never a broadcast. `.sample_weight` has one weight for each loss value, or
/// for each sample along the first axis; a weighted mean divides by the number of values, as Keras does.
namespace xgrad::inline v0 {

// GCC takes a scoped enumerator for a variable that hides `xgrad::none`, the missing end of a slice.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
/// What becomes of the loss values: all of them, their mean, or their sum.
enum class Reduction { none, mean, sum };
#pragma GCC diagnostic pop

struct LossOptions {
  Reduction reduction = Reduction::mean;
  Tensor sample_weight = {};
};

/// (p - t)².   ∂p = 2 (p - t)
Tensor mse(const Tensor& prediction, const Tensor& target, const LossOptions& options = {});
/// |p - t|.   ∂p = sign(p - t), 0 where they are equal
Tensor mae(const Tensor& prediction, const Tensor& target, const LossOptions& options = {});

struct HuberOptions {
  double delta = 1.0;
  Reduction reduction = Reduction::mean;
  Tensor sample_weight = {};
};
/// (p - t)² / 2 where |p - t| ≤ δ, else δ (|p - t| - δ/2) (Huber 1964).   ∂p = p - t limited to [-δ, δ].
/// Throws ValueError unless δ > 0.
Tensor huber(const Tensor& prediction, const Tensor& target, const HuberOptions& options = {});

struct BinaryCrossEntropyOptions {
  double eps = 0.0;  ///< probabilities are limited to [eps, 1 - eps]; Keras takes 1e-7
  Reduction reduction = Reduction::mean;
  Tensor sample_weight = {};
};
/// -(t ln p + (1 - t) ln(1 - p)) for probabilities p in [0, 1].
/// Without eps, as PyTorch: logarithms are at least -100, so that p = 0 and p = 1 give finite losses, and
/// ∂p = (p - t) / max(p (1 - p), 1e-12). With eps, as Keras: p is limited first, and ∂p is 0 where that
/// acted. NaN for p outside [0, 1] without eps. Throws ValueError unless 0 ≤ eps < 1/2.
Tensor binary_cross_entropy(const Tensor& prediction, const Tensor& target,
                            const BinaryCrossEntropyOptions& options = {});

/// The same from logits x, p = σ(x): max(x, 0) - x t + ln(1 + e^-|x|), sound for any magnitude.
/// ∂x = σ(x) - t
Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target,
                                        const LossOptions& options = {});

struct CrossEntropyOptions {
  double label_smoothing = 0.0;      ///< this share of each target is spread evenly over the classes
  std::int64_t ignore_index = -100;  ///< targets with this index do not count
  Tensor class_weights = {};         ///< (C); a mean then divides by the sum of the targets' weights
  Reduction reduction = Reduction::mean;
  Tensor sample_weight = {};
};
/// The cross entropy of softmax(logits) with the target: logits (N, C), target class indices (N) of an
/// integer dtype, or probabilities (N, C) → (N) before the reduction. Also logits (C) with a target of shape
/// (), and (N, C, d₁, …) with (N, d₁, …), or with probabilities of the logits' shape. Sound for any magnitude
/// of the logits. ∂logits = softmax(logits) - target. Throws IndexError, naming the place, for an index
/// outside [0, C), and ShapeError and DTypeError for targets that are neither.
Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options = {});

struct NllOptions {
  std::int64_t ignore_index = -100;
  Tensor class_weights = {};
  Reduction reduction = Reduction::mean;
  Tensor sample_weight = {};
};
/// -lᵢ,tᵢ for log-probabilities l (N, C) and class indices t (N), or the further shapes of cross_entropy. ∂l
/// = -1 at the targets. Errors as above.
Tensor nll(const Tensor& log_probabilities, const Tensor& target, const NllOptions& options = {});

struct KlDivOptions {
  bool log_target = false;  ///< the target holds logarithms
  Reduction reduction = Reduction::mean;
  Tensor sample_weight = {};
};
/// t (ln t - l) for log-probabilities l and probabilities t, 0 where t is 0: the summands of the divergence
/// of l from t (Kullback & Leibler 1951). The mean is over all values, as PyTorch's.   ∂l = -t
Tensor kl_div(const Tensor& log_probabilities, const Tensor& target, const KlDivOptions& options = {});

/// The losses as function objects, to be passed to a `Trainer`: `loss::cross_entropy`, or with options bound,
/// `loss::binary_cross_entropy({.eps = 1e-7})`. Called with a third argument, they take it as sample weights.
namespace loss {

/// Loss F whose options are bound. `logits` says that predictions are not probabilities yet.
template <auto F, class Options, bool Logits>
class Bound {
 public:
  static constexpr bool logits = Logits;
  explicit Bound(Options options) : options_(std::move(options)) {}
  Tensor operator()(const Tensor& prediction, const Tensor& target) const {
    return F(prediction, target, options_);
  }
  Tensor operator()(const Tensor& prediction, const Tensor& target, const Tensor& sample_weight) const {
    Options o = options_;
    o.sample_weight = sample_weight;
    return F(prediction, target, o);
  }

 private:
  Options options_;
};

template <auto F, class Options, bool Logits = false>
struct Loss {
  static constexpr bool logits = Logits;
  Tensor operator()(const Tensor& prediction, const Tensor& target) const {
    return F(prediction, target, Options{});
  }
  Tensor operator()(const Tensor& prediction, const Tensor& target, const Tensor& sample_weight) const {
    Options o;
    o.sample_weight = sample_weight;
    return F(prediction, target, o);
  }
  Bound<F, Options, Logits> operator()(Options options) const {
    return Bound<F, Options, Logits>(std::move(options));
  }
};

inline constexpr Loss<&xgrad::mse, LossOptions> mse{};
inline constexpr Loss<&xgrad::mae, LossOptions> mae{};
inline constexpr Loss<&xgrad::huber, HuberOptions> huber{};
inline constexpr Loss<&xgrad::binary_cross_entropy, BinaryCrossEntropyOptions> binary_cross_entropy{};
inline constexpr Loss<&xgrad::binary_cross_entropy_with_logits, LossOptions, true>
    binary_cross_entropy_with_logits{};
inline constexpr Loss<&xgrad::cross_entropy, CrossEntropyOptions, true> cross_entropy{};
inline constexpr Loss<&xgrad::nll, NllOptions, true> nll{};
inline constexpr Loss<&xgrad::kl_div, KlDivOptions> kl_div{};

}  // namespace loss
}  // namespace xgrad::inline v0
