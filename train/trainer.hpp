#pragma once
#include <array>
#include <concepts>
#include <optional>
#include <vector>

#include <xgrad/data/loader.hpp>
#include <xgrad/optim/optimizer.hpp>
#include <xgrad/train/callback.hpp>
#include <xgrad/train/history.hpp>
#include <xgrad/train/metric.hpp>

/// Training in three lines, with Keras's names and Keras's meaning.
///
///     Trainer trainer(model, optim::Adam(nn::parameters(model), {.lr = 1e-3}), loss::cross_entropy,
///                     {metric::accuracy()});
///     History h = trainer.fit(x, y, {.epochs = 10, .batch_size = 128, .validation_split = 0.1});
///     auto [loss, accuracy] = trainer.evaluate(x_test, y_test);
///     Tensor p = trainer.predict(x_test);
namespace xgrad::inline v0 {

struct FitOptions {
  int epochs = 1;
  std::int64_t batch_size = 32;
  bool shuffle = true;                     ///< a different order of the samples in each epoch
  std::optional<std::uint64_t> seed = {};  ///< of the order; by default drawn from the thread's generator
  double validation_split = 0;             ///< share of the samples, the last before shuffling, set aside
  data::Dataset validation_data = {};      ///< goes before validation_split
  Tensor sample_weight = {};  ///< (N): the loss of sample i counts weight[i] times; not the metrics
  std::vector<Callback> callbacks = {};  ///< called in this order
  int verbose = 1;  ///< 0: silent; 1: a progress line on a terminal, else as 2; 2: one line for each epoch
};

/// What of FitOptions a loader does not say already.
struct LoaderFitOptions {
  int epochs = 1;
  data::Dataset validation_data = {};
  std::vector<Callback> callbacks = {};
  int verbose = 1;
};

struct EvaluateOptions {
  std::int64_t batch_size = 32;
  Tensor sample_weight = {};
};
struct PredictOptions {
  std::int64_t batch_size = 32;
};

namespace detail {

/// A model, a loss and an optimizer whose types the trainer's code does not know.
struct TrainerParts {
  nn::ModelRef model;
  Tensor (*call)(void* model, const Tensor& x);
  Function<Tensor(const Tensor& prediction, const Tensor& target, const Tensor& sample_weight)> loss;
  bool loss_takes_logits;
  bool loss_takes_weights;
  optim::Optimizer* optimizer;
  bool owns_optimizer;
};

/// What all trainers do, compiled once.
class TrainerCore {
 public:
  TrainerCore(TrainerParts parts, Metric* metrics, std::size_t count);
  TrainerCore(TrainerCore&& o) noexcept : impl_(std::exchange(o.impl_, nullptr)) {}
  TrainerCore(const TrainerCore&) = delete;
  TrainerCore& operator=(const TrainerCore&) = delete;
  ~TrainerCore();

  History fit(const Tensor& x, const Tensor& y, const FitOptions& options);
  History fit(data::DataLoader loader, const LoaderFitOptions& options);
  void evaluate(const data::Dataset& set, std::int64_t batch_size, double* results) const;
  Tensor predict(const Tensor& x, std::int64_t batch_size) const;
  optim::Optimizer& optimizer() const;

 private:
  struct Impl;
  Impl* impl_;
};

template <class M>
nn::ModelRef model_handle(M& model) {
  static_assert(nn::Model<M>,
                "[xgrad] a Trainer trains a model: a struct whose fields are parameters and modules");
  return nn::model_ref(model);
}

template <class M, class O, class L>
TrainerParts trainer_parts(M& model, O&& optimizer, L loss) {
  using Optimizer = std::remove_reference_t<O>;
  static_assert(
      std::is_invocable_r_v<Tensor, M&, const Tensor&>,
      "[xgrad] a Trainer calls the model with one tensor: give it Tensor operator()(const Tensor& x) const");
  static_assert(
      std::is_base_of_v<optim::Optimizer, Optimizer>,
      "[xgrad] the second argument of a Trainer is an optimizer: optim::Adam(nn::parameters(model))");
  static_assert(std::is_invocable_r_v<Tensor, const L&, const Tensor&, const Tensor&>,
                "[xgrad] the third argument of a Trainer is a loss that is called (prediction, target): "
                "loss::cross_entropy, or a lambda");
  constexpr bool takes_weights =
      std::is_invocable_r_v<Tensor, const L&, const Tensor&, const Tensor&, const Tensor&>;
  TrainerParts parts{
      model_handle(model),
      [](void* m, const Tensor& x) -> Tensor { return (*static_cast<M*>(m))(x); },
      [loss = std::move(loss)](const Tensor& p, const Tensor& t, [[maybe_unused]] const Tensor& w) -> Tensor {
        if constexpr (takes_weights)
          if (w.defined()) return loss(p, t, w);
        return loss(p, t);
      },
      false,
      takes_weights,
      nullptr,
      !std::is_lvalue_reference_v<O>};
  if constexpr (requires { L::logits; }) parts.loss_takes_logits = L::logits;
  if constexpr (std::is_lvalue_reference_v<O>)
    parts.optimizer = &optimizer;
  else
    parts.optimizer = new Optimizer(std::move(optimizer));
  return parts;
}

}  // namespace detail

/// Trains and evaluates a model. It refers to the model, which must live longer, keeps an optimizer that it
/// is given as a temporary and refers to one that has a name; it is not copied. M is deduced, and so is the
/// number of metrics N.
template <class M, std::size_t N = 0>
class Trainer {
 public:
  /// The loss is one of `loss::` or any callable (prediction, target) that returns one number; for sample
  /// weights it must take them as a third argument. Throws ValueError for two metrics of one name and for an
  /// optimizer that has none of the model's parameters.
  template <class O, class L>
  requires(N == 0) Trainer(M& model, O&& optimizer, L loss)
      : core_(detail::trainer_parts(model, std::forward<O>(optimizer), std::move(loss)), nullptr, 0) {}
  template <class O, class L, std::size_t K>
  requires(N == K) Trainer(M& model, O&& optimizer, L loss, Metric (&&metrics)[K])
      : core_(detail::trainer_parts(model, std::forward<O>(optimizer), std::move(loss)), metrics, K) {}
  /// A temporary model would be gone before it is trained.
  template <class O, class L>
  Trainer(const M&& model, O&& optimizer, L loss) = delete;
  template <class O, class L, std::size_t K>
  Trainer(const M&& model, O&& optimizer, L loss, Metric (&&metrics)[K]) = delete;

  /// Trains for `epochs` passes over the samples x (N, …) with targets y (N, …). For each batch: predictions,
  /// loss, its gradients, one step of the optimizer. Modules behave as in training, whatever their mode says.
  /// Returns the history: the loss of an epoch is the mean of its batches' losses, weighted by their numbers
  /// of samples, and metrics are taken over all its batches, both while the weights move; then the validation
  /// data is evaluated. Before the first step, one batch of the training and of the validation data is run
  /// without recording, so that shapes that do not fit are errors that leave everything as it was. Throws
  /// ValueError for options outside their domain and for no samples, ShapeError for x, y and sample_weight of
  /// different sizes and whatever the model, the loss, the metrics and the callbacks throw.
  History fit(const Tensor& x, const Tensor& y, const FitOptions& options = {}) {
    return core_.fit(x, y, options);
  }
  /// The same on the batches of a loader, which says their size and order: epoch i here is epoch i there.
  History fit(data::DataLoader loader, const LoaderFitOptions& options = {}) {
    return core_.fit(std::move(loader), options);
  }

  /// The loss and the metrics, in the order given, over all samples, with modules as in evaluation:
  /// `auto [loss, accuracy] = trainer.evaluate(x, y)`. Nothing is recorded and nothing in the model is
  /// written.
  std::array<double, N + 1> evaluate(const Tensor& x, const Tensor& y,
                                     const EvaluateOptions& options = {}) const {
    std::array<double, N + 1> results{};
    core_.evaluate({x, y, options.sample_weight}, options.batch_size, results.data());
    return results;
  }

  /// What the model gives for x (N, …), batch by batch, in one tensor (N, …), with modules as in evaluation.
  /// Nothing is recorded and nothing in the model is written. Throws ShapeError when the model does not
  /// return a row for each sample.
  Tensor predict(const Tensor& x, const PredictOptions& options = {}) const {
    return core_.predict(x, options.batch_size);
  }

  optim::Optimizer& optimizer() const { return core_.optimizer(); }

 private:
  detail::TrainerCore core_;
};

template <class M, class O, class L>
Trainer(M&, O&&, L) -> Trainer<M, 0>;
template <class M, class O, class L, std::size_t N>
Trainer(M&, O&&, L, Metric (&&)[N]) -> Trainer<M, N>;

}  // namespace xgrad::inline v0
