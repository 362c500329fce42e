#pragma once
#include <optional>
#include <span>
#include <string>
#include <type_traits>

#include <xgrad/core/function.hpp>
#include <xgrad/core/memory.hpp>
#include <xgrad/nn/visit.hpp>
#include <xgrad/optim/schedule.hpp>
#include <xgrad/train/history.hpp>
#include <xgrad/train/metric.hpp>

/// Callbacks: what happens beside the training in a `Trainer::fit`. Names and defaults are those of Keras in
/// snake case.
namespace xgrad::inline v0 {

/// A fit as callbacks see it.
struct TrainState {
  nn::ModelRef model;
  optim::Optimizer& optimizer;
  const History& history;    ///< up to the last whole epoch; in `on_epoch_end` this one is its last row
  int epochs = 1;            ///< how many were asked for
  std::int64_t batches = 0;  ///< in an epoch
  int epoch = 0;             ///< from 0
  std::int64_t batch = 0;    ///< from 0 in each epoch
  double batch_loss = 0;     ///< of this batch alone
  bool stop =
      false;  ///< set it to end the training after this epoch, in `on_train_batch_end` after this batch
  std::span<const Metric> metrics = {};

  /// Whether more is better in a column of the history, "val_accuracy" for one.
  bool maximize(std::string_view column) const;
};

/// Derive from it for a callback of your own, and override what you need.
class CallbackHooks {
 public:
  CallbackHooks() = default;
  CallbackHooks(const CallbackHooks&) {}  // who refers to one does not refer to its copy
  CallbackHooks& operator=(const CallbackHooks&) { return *this; }
  virtual ~CallbackHooks() = default;
  /// Before the first epoch. What throws here throws before anything has changed.
  virtual void on_train_begin(TrainState&) {}
  virtual void on_train_end(TrainState&) {}
  virtual void on_epoch_begin(TrainState&) {}
  /// After training and validation of an epoch.
  virtual void on_epoch_end(TrainState&) {}
  /// After the optimizer's step.
  virtual void on_train_batch_end(TrainState&) {}

 private:
  friend class Callback;
  detail::RefCount refs_;
};

/// Any callback. Copies share it.
class Callback {
 public:
  template <class C>
  requires std::is_base_of_v<CallbackHooks, std::remove_cvref_t<C>> Callback(C&& hooks)
      : hooks_(new std::remove_cvref_t<C>(std::forward<C>(hooks))) {}
  /// Takes the hooks, which must come from `new`. Throws ValueError for a null pointer.
  explicit Callback(CallbackHooks* hooks) : hooks_(hooks) {
    if (hooks == nullptr) detail::throw_null("Callback", "the pointer to the hooks");
  }
  Callback(const Callback& o) noexcept : hooks_(o.hooks_) {
    if (hooks_ != nullptr) hooks_->refs_.increment();
  }
  Callback(Callback&& o) noexcept : hooks_(std::exchange(o.hooks_, nullptr)) {}
  Callback& operator=(Callback o) noexcept {
    std::swap(hooks_, o.hooks_);
    return *this;
  }
  ~Callback() {
    if (hooks_ != nullptr && hooks_->refs_.decrement()) delete hooks_;
  }
  CallbackHooks* operator->() const { return hooks_; }

 private:
  CallbackHooks* hooks_;
};

/// Which way is better. `automatic`: what the metric behind the column says; less for losses.
enum class Better { automatic, lower, higher };

struct EarlyStoppingOptions {
  std::string monitor = "val_loss";  ///< the column of the history that is watched
  double min_delta = 0;              ///< less than this is no improvement
  int patience = 0;                  ///< epochs without improvement after which training stops
  Better mode = Better::automatic;
  std::optional<double> baseline = {};  ///< patience counts until this is reached
  bool restore_best_weights = false;    ///< the model ends with the weights of its best epoch
  int start_from_epoch = 0;             ///< epochs before this one are not looked at
};
/// Stops when a column has not improved for `patience` epochs. Throws ValueError, before training, for a
/// column that the fit does not have and options outside their domain.
Callback early_stopping(const EarlyStoppingOptions& options = {});

struct ModelCheckpointOptions {
  std::string monitor = "val_loss";
  bool save_best_only = false;  ///< only after epochs that are better than all before
  Better mode = Better::automatic;
};
/// Saves the model's state dict as safetensors after each epoch. The path may name the epoch (from 1) and
/// columns of the history: "model-{epoch:02d}-{val_loss:.3f}.safetensors". Throws, before training,
/// ValueError for a column that the fit does not have and IoError when its folder cannot be written to;
/// IoError when a file cannot be written.
Callback model_checkpoint(const std::string& path, const ModelCheckpointOptions& options = {});

struct CsvLoggerOptions {
  char separator = ',';
  bool append = false;  ///< go on at the end of an existing file
};
/// Writes each epoch's row of the history to a file, as soon as it is there; the first one replaces what the
/// file held. Throws IoError, before training when the file cannot be written.
Callback csv_logger(const std::string& path, const CsvLoggerOptions& options = {});

/// Before each epoch, sets the learning rate to f(epoch, learning rate so far); epochs count from 0.
Callback learning_rate_scheduler(Function<double(int epoch, double lr)> f);
struct ScheduleOptions {
  bool per_batch = false;  ///< time is counted in batches and not in epochs
};
/// Sets the learning rates by a schedule of <xgrad/optim/schedule.hpp>, whose time starts with the fit.
Callback learning_rate_scheduler(optim::Schedule schedule, ScheduleOptions options = {});

struct ReduceLrOnPlateauOptions {
  std::string monitor = "val_loss";
  double factor = 0.1;      ///< what the learning rate is multiplied by
  int patience = 10;        ///< epochs without improvement after which it is
  double min_delta = 1e-4;  ///< less than this is no improvement
  int cooldown = 0;         ///< epochs after a reduction that do not count
  double min_lr = 0;
  Better mode = Better::automatic;
};
/// Reduces the learning rate when a column stops improving. Throws ValueError, before training, for a column
/// that the fit does not have and options outside their domain.
Callback reduce_lr_on_plateau(const ReduceLrOnPlateauOptions& options = {});

/// Ends the training after a batch whose loss is NaN or infinite; without it training goes on, as in Keras.
Callback terminate_on_nan();

struct LambdaCallbackOptions {
  Function<void(TrainState&)> on_train_begin = {};
  Function<void(TrainState&)> on_train_end = {};
  Function<void(TrainState&)> on_epoch_begin = {};
  Function<void(TrainState&)> on_epoch_end = {};
  Function<void(TrainState&)> on_train_batch_end = {};
};
/// Calls the functions that are given.
Callback lambda_callback(LambdaCallbackOptions options);

}  // namespace xgrad::inline v0
