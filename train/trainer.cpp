#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <unordered_set>
#include <xgrad/core/create.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/core/random.hpp>
#include <xgrad/nn/model.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/train/progress.hpp>
#include <xgrad/train/trainer.hpp>

namespace xgrad::inline v0::detail {

namespace {

/// The loss and the metrics over the batches that were seen.
class Tally {
 public:
  explicit Tally(const std::vector<Metric>& metrics) : metrics_(metrics) {}

  void reset() {
    total_ = 0;
    samples_ = 0;
    for (Metric& m : metrics_) m.state().reset();
  }
  void add(double loss, const Tensor& prediction, const data::Batch& batch) {
    const std::int64_t count = batch.x.array().size(0);
    total_ += loss * static_cast<double>(count);
    samples_ += count;
    for (Metric& m : metrics_) m.state().update(prediction, batch.y);
  }
  std::int64_t samples() const { return samples_; }
  std::size_t size() const { return metrics_.size() + 1; }
  /// The mean loss, then each metric: `size()` values.
  void results(double* out) const {
    *out++ = total_ / static_cast<double>(samples_);
    for (const Metric& m : metrics_) *out++ = m.state().value();
  }

 private:
  std::vector<Metric> metrics_;
  double total_ = 0;
  std::int64_t samples_ = 0;
};

}  // namespace

struct TrainerCore::Impl {
  TrainerParts parts;
  std::vector<Metric> metrics;  // as they were given: whoever counts takes copies

  Impl(TrainerParts p, Metric* first, std::size_t count);
  ~Impl() {
    if (parts.owns_optimizer) delete parts.optimizer;
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Tensor call(const Tensor& x) const { return parts.call(parts.model.object, x); }
  Tensor loss(std::string_view op, const Tensor& prediction, const data::Batch& batch) const;
  void check(std::string_view op, const data::Dataset& set) const;
  void try_batches(const data::Dataset& set, std::int64_t batch_size) const;
  void try_lone_sample(const data::DataLoader& loader) const;

  History fit(data::DataLoader& loader, const data::Dataset& validation, int epochs,
              const std::vector<Callback>& callbacks, int verbose) const;
  void train_epoch(data::DataLoader& loader, Tally& tally, TrainState& state,
                   const std::vector<Callback>& callbacks, Progress& progress) const;
  void evaluate(std::string_view op, data::DataLoader& loader, Tally& tally) const;
};

namespace {

void check_at_least_one(std::string_view op, std::string_view option, std::int64_t value) {
  if (value < 1) throw ValueError(op, fmt::format("{} is {}: make it 1 or more", option, value));
}

void check_verbose(int verbose) {
  if (verbose < 0 || verbose > 2)
    throw ValueError("fit",
                     fmt::format("verbose is {}: make it 0 (silent), 1 (a progress line) or 2 (a line for "
                                 "each epoch)",
                                 verbose));
}

std::vector<std::string> column_names(const std::vector<Metric>& metrics, bool validation) {
  std::vector<std::string> names{"loss"};
  for (const Metric& m : metrics) names.push_back(m.name());
  const std::size_t n = names.size();
  for (std::size_t i = 0; validation && i < n; ++i) names.push_back("val_" + names[i]);
  names.push_back("lr");
  return names;
}

}  // namespace

TrainerCore::Impl::Impl(TrainerParts p, Metric* first, std::size_t count) : parts(std::move(p)) {
  for (std::size_t i = 0; i < count; ++i) {
    if (parts.loss_takes_logits) first[i].state().expect_logits();
    metrics.push_back(std::move(first[i]));
  }
}

namespace {

/// An optimizer of another model's parameters would train nothing.
void require_shared_parameters(const TrainerParts& parts) {
  std::unordered_set<const void*> of_model;
  for (const auto& [name, p] : nn::detail::parameters(parts.model)) of_model.insert(p.impl());
  std::size_t count = 0;
  for (int k = 0; k < parts.optimizer->groups(); ++k)
    for (const auto& [name, p] : parts.optimizer->parameters(k)) {
      if (of_model.contains(p.impl())) return;
      ++count;
    }
  throw ValueError("Trainer",
                   fmt::format("none of the optimizer's {} parameters is among the model's {}: give it "
                               "nn::parameters(model) of this model",
                               count, of_model.size()));
}

}  // namespace

/// What can be said before the model is run.
void TrainerCore::Impl::check(std::string_view op, const data::Dataset& set) const {
  data::check(op, set);
  if (!set.y.defined()) throw ValueError(op, "y is undefined: give a target for each sample");
  if (set.sample_weight.defined() && !parts.loss_takes_weights)
    throw ValueError(op,
                     "this loss takes no sample weights: give the trainer a loss that is called (prediction, "
                     "target, sample_weight), as those of loss:: are");
}

/// The loss of a batch, one number.
Tensor TrainerCore::Impl::loss(std::string_view op, const Tensor& prediction,
                               const data::Batch& batch) const {
  Tensor loss = parts.loss(prediction, batch.y, batch.sample_weight);
  if (loss.array().numel() != 1) [[unlikely]]
    throw ShapeError(
        op, fmt::format("the loss has shape {} for predictions {} and targets {}: give the trainer one "
                        "that returns a single number, their mean for one",
                        loss.shape().str(), prediction.shape().str(), batch.y.shape().str()));
  return loss;
}

/// Runs in evaluation what a batch may be like, so that what does not fit is said before anything changes:
/// the first batch, one as small as the last, and of class indices those with the smallest and the largest.
void TrainerCore::Impl::try_batches(const data::Dataset& set, std::int64_t batch_size) const {
  Tally tally(metrics);
  const auto run = [&](const data::Dataset& part) {
    data::DataLoader loader(part, {.batch_size = batch_size});
    evaluate("fit", loader, tally);
  };
  const std::int64_t n = set.size(), last = n % batch_size;
  run(data::slice(set, 0, std::min(batch_size, n)));
  if (n > batch_size && last > 0) run(data::slice(set, n - last, last));
  if (!is_integer(set.y.dtype()) || set.y.numel() != n) return;
  const Tensor y = set.y.detach().reshape({n});
  for (const Tensor& extreme : {argmin(y), argmax(y)}) {
    const std::int64_t i = extreme.item<std::int64_t>(), first = i - i % batch_size;
    run(data::slice(set, first, std::min(batch_size, n - first)));
  }
}

/// Runs a lone sample as training will, where it is the last batch: layers that normalise over the batch
/// refuse it. What that changes is put back.
void TrainerCore::Impl::try_lone_sample(const data::DataLoader& loader) const {
  const data::Dataset& set = loader.dataset();
  const std::int64_t n = set.size();
  const bool lone = (n - 1) % loader.options().batch_size == 0;
  if (!lone || (loader.options().drop_last && loader.options().batch_size > 1)) return;
  struct Restore {
    nn::ModelRef model;
    StateDict state = nn::detail::state_dict(model, {.copy = true});
    Generator generator = default_generator();
    ~Restore() {
      nn::detail::load_state_dict(model, state, {});
      default_generator() = generator;
    }
  } const restore{parts.model};
  const NoGrad no_grad;
  const nn::ModeOverride mode(true);
  call(data::slice(set, n - 1, 1).x);
}

void TrainerCore::Impl::train_epoch(data::DataLoader& loader, Tally& tally, TrainState& state,
                                    const std::vector<Callback>& callbacks, Progress& progress) const {
  const nn::ModeOverride mode(true);
  tally.reset();
  std::vector<double> running(tally.size());
  data::Batch batch;
  for (state.batch = 0; loader.next(batch); ++state.batch) {
    const Tensor prediction = call(batch.x);
    const Tensor batch_loss = loss("fit", prediction, batch);
    batch_loss.backward();
    parts.optimizer->step({.zero_grad = true});
    state.batch_loss = batch_loss.array().value<double>();
    tally.add(state.batch_loss, prediction, batch);
    if (progress.redraws())
      progress.update(tally.samples(), [&] {
        tally.results(running.data());
        return std::span<const double>(running);
      });
    for (const Callback& c : callbacks) c->on_train_batch_end(state);
    if (state.stop) break;
  }
}

History TrainerCore::Impl::fit(data::DataLoader& loader, const data::Dataset& validation, int epochs,
                               const std::vector<Callback>& callbacks, int verbose) const {
  const std::int64_t batch_size = loader.options().batch_size;
  try_batches(loader.dataset(), batch_size);
  try_lone_sample(loader);
  std::optional<data::DataLoader> validation_loader;
  if (validation.defined()) {
    try_batches(validation, batch_size);
    validation_loader.emplace(validation, data::LoaderOptions{.batch_size = batch_size});
  }

  History history(column_names(metrics, validation.defined()));
  TrainState state{parts.model, *parts.optimizer, history, epochs, loader.size()};
  state.metrics = metrics;
  for (const Callback& c : callbacks) c->on_train_begin(state);

  Tally training(metrics), validating(metrics);
  Progress progress(verbose == 0 ? nullptr : stdout, verbose == 1 && isatty(fileno(stdout)) != 0, epochs,
                    loader.samples(), history.columns(), training.size());
  std::vector<double> row(history.columns().size());
  parts.optimizer->zero_grad();
  for (int epoch = 0; epoch < epochs && !state.stop; ++epoch) {
    state.epoch = epoch;
    for (const Callback& c : callbacks) c->on_epoch_begin(state);
    loader.start(static_cast<std::uint64_t>(epoch));
    progress.begin_epoch(epoch);
    train_epoch(loader, training, state, callbacks, progress);
    training.results(row.data());
    if (validation_loader) {
      evaluate("fit", *validation_loader, validating);
      validating.results(row.data() + training.size());
    }
    row.back() = parts.optimizer->lr();
    history.append(row);
    progress.end_epoch(training.samples(), row);
    for (const Callback& c : callbacks) c->on_epoch_end(state);
  }
  for (const Callback& c : callbacks) c->on_train_end(state);
  return history;
}

void TrainerCore::Impl::evaluate(std::string_view op, data::DataLoader& loader, Tally& tally) const {
  const NoGrad no_grad;
  const nn::ModeOverride mode(false);
  tally.reset();
  loader.start(0);
  data::Batch batch;
  while (loader.next(batch)) {
    const Tensor prediction = call(batch.x);
    tally.add(loss(op, prediction, batch).array().value<double>(), prediction, batch);
  }
}

TrainerCore::TrainerCore(TrainerParts parts, Metric* metrics, std::size_t count) {
  auto impl = std::make_unique<Impl>(std::move(parts), metrics, count);
  const std::vector<std::string> names = column_names(impl->metrics, true);
  for (std::size_t i = 0; i < names.size(); ++i)
    if (std::find(names.begin(), names.end(), names[i]) != names.begin() + static_cast<std::ptrdiff_t>(i))
      throw ValueError(
          "Trainer", fmt::format("two columns of the history would be called \"{}\": give the metric a name "
                                 "of its own with .named(…)",
                                 names[i]));
  require_shared_parameters(impl->parts);
  impl_ = impl.release();
}

TrainerCore::~TrainerCore() { delete impl_; }

optim::Optimizer& TrainerCore::optimizer() const { return *impl_->parts.optimizer; }

History TrainerCore::fit(const Tensor& x, const Tensor& y, const FitOptions& options) {
  check_at_least_one("fit", "epochs", options.epochs);
  check_at_least_one("fit", "batch_size", options.batch_size);
  check_verbose(options.verbose);
  data::Dataset training{x, y, options.sample_weight}, validation = options.validation_data;
  impl_->check("fit", training);
  if (validation.defined()) {
    impl_->check("fit", validation);
  } else if (options.validation_split != 0) {
    data::Split parts = data::split_last("fit", training, options.validation_split);
    training = std::move(parts.train);
    validation = std::move(parts.validation);
  }
  data::DataLoader loader(
      std::move(training),
      {.batch_size = options.batch_size, .shuffle = options.shuffle, .seed = options.seed});
  return impl_->fit(loader, validation, options.epochs, options.callbacks, options.verbose);
}

History TrainerCore::fit(data::DataLoader loader, const LoaderFitOptions& options) {
  check_at_least_one("fit", "epochs", options.epochs);
  check_verbose(options.verbose);
  impl_->check("fit", loader.dataset());
  if (options.validation_data.defined()) impl_->check("fit", options.validation_data);
  return impl_->fit(loader, options.validation_data, options.epochs, options.callbacks, options.verbose);
}

void TrainerCore::evaluate(const data::Dataset& set, std::int64_t batch_size, double* results) const {
  check_at_least_one("evaluate", "batch_size", batch_size);
  impl_->check("evaluate", set);
  data::DataLoader loader(set, {.batch_size = batch_size});
  Tally tally(impl_->metrics);
  impl_->evaluate("evaluate", loader, tally);
  tally.results(results);
}

Tensor TrainerCore::predict(const Tensor& x, std::int64_t batch_size) const {
  check_at_least_one("predict", "batch_size", batch_size);
  data::check("predict", {x});
  const NoGrad no_grad;
  const nn::ModeOverride mode(false);
  data::DataLoader loader({x}, {.batch_size = batch_size});
  data::Batch batch;
  Array out;
  std::int64_t at = 0;
  while (loader.next(batch)) {
    const std::int64_t count = batch.x.size(0);
    const Tensor p = impl_->call(batch.x);
    Shape shape = p.shape();
    if (shape.rank() == 0 || shape[0] != count)
      throw ShapeError("predict",
                       fmt::format("shapes {} and {}: the model does not return a row for each sample: give "
                                   "its result {} rows",
                                   batch.x.shape().str(), shape.str(), count));
    if (loader.size() == 1) return p.detach();
    shape[0] = loader.samples();
    if (!out.defined()) out = Array::empty(shape, p.dtype());
    if (shape != out.shape())
      throw ShapeError("predict",
                       fmt::format("rows of shape {} and {} from two batches: let the model return rows of "
                                   "one shape",
                                   out.shape().str(), shape.str()));
    out.slice(0, at, count).copy_in(p.array());
    at += count;
  }
  return Tensor(std::move(out));
}

}  // namespace xgrad::inline v0::detail
