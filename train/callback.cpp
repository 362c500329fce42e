#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <xgrad/core/errors.hpp>
#include <xgrad/core/require.hpp>
#include <xgrad/nn/model.hpp>
#include <xgrad/train/callback.hpp>
#include <xgrad/train/monitor.hpp>

namespace xgrad::inline v0 {

bool TrainState::maximize(std::string_view column) const {
  if (column.substr(0, 4) == "val_") column.remove_prefix(4);
  for (const Metric& m : metrics)
    if (m.name() == column) return m.state().maximize();
  return false;
}

namespace {

class EarlyStopping final : public CallbackHooks {
 public:
  explicit EarlyStopping(const EarlyStoppingOptions& o)
      : options_(o), monitor_("early_stopping", o.monitor, o.mode) {}

  void on_train_begin(TrainState& s) override {
    monitor_.start(s, std::fabs(options_.min_delta));
    wait_ = 0;
    best_weights_.clear();
  }

  void on_epoch_end(TrainState& s) override {
    if (s.epoch < options_.start_from_epoch) return;
    const double current = monitor_.current(s);
    const bool better = monitor_.improves(current);
    // The first weights are the best ones until there are better: a NaN is never an improvement.
    if (options_.restore_best_weights && (better || best_weights_.empty()))
      best_weights_ = nn::detail::state_dict(s.model, {.copy = true});
    ++wait_;
    if (better && (!options_.baseline || monitor_.better(current, *options_.baseline))) wait_ = 0;
    if (!better && wait_ >= options_.patience && s.epoch > 0) s.stop = true;
  }

  void on_train_end(TrainState& s) override {
    if (!best_weights_.empty()) nn::detail::load_state_dict(s.model, best_weights_, {});
    best_weights_.clear();
  }

 private:
  EarlyStoppingOptions options_;
  detail::Monitor monitor_;
  int wait_ = 0;
  StateDict best_weights_;
};

class CsvLogger final : public CallbackHooks {
 public:
  CsvLogger(std::string path, const CsvLoggerOptions& options) : path_(std::move(path)), options_(options) {}

  /// Leaves the file as it is: a later callback may refuse the fit, or its first epoch fail.
  void on_train_begin(TrainState&) override {
    file_.reset();
    const bool exists = ::access(path_.c_str(), F_OK) == 0;
    open("ab");
    file_.reset();
    if (!exists) std::remove(path_.c_str());
  }
  void on_epoch_end(TrainState& s) override {
    if (!file_) start(s);
    const std::size_t last = s.history.epochs() - 1;
    write(detail::csv_line(last, s.history.row(last), options_.separator));
  }
  void on_train_end(TrainState&) override { file_.reset(); }

 private:
  struct Close {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };

  void open(const char* mode) {
    file_.reset(std::fopen(path_.c_str(), mode));
    if (!file_) fail();
  }
  void start(const TrainState& s) {
    open(options_.append ? "ab" : "wb");
    std::fseek(file_.get(), 0, SEEK_END);
    if (std::ftell(file_.get()) == 0) write(detail::csv_header(s.history.columns(), options_.separator));
  }
  void write(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() || std::fflush(file_.get()) != 0)
      fail();
  }
  [[noreturn]] void fail() const {
    throw IoError("csv_logger", fmt::format("cannot write {}: {}: choose a place that can be written", path_,
                                            std::strerror(errno)));
  }

  std::string path_;
  CsvLoggerOptions options_;
  std::unique_ptr<std::FILE, Close> file_;
};

class LearningRateFunction final : public CallbackHooks {
 public:
  explicit LearningRateFunction(Function<double(int, double)> f) : f_(std::move(f)) {}
  void on_epoch_begin(TrainState& s) override { s.optimizer.set_lr(f_(s.epoch, s.optimizer.lr())); }

 private:
  Function<double(int, double)> f_;
};

class LearningRateSchedule final : public CallbackHooks {
 public:
  LearningRateSchedule(optim::Schedule schedule, ScheduleOptions options)
      : schedule_(std::move(schedule)), options_(options) {}
  void on_train_begin(TrainState&) override {
    optim::check_option("learning_rate_scheduler", "factor", schedule_(0), 0);
  }
  /// Not earlier, since it sets the rates: another callback may refuse the fit as it begins.
  void on_epoch_begin(TrainState& s) override {
    if (s.epoch == 0)
      scheduler_.emplace(s.optimizer, schedule_);
    else if (!options_.per_batch)
      scheduler_->step();
  }
  void on_train_batch_end(TrainState&) override {
    if (options_.per_batch) scheduler_->step();
  }
  void on_train_end(TrainState&) override { scheduler_.reset(); }

 private:
  optim::Schedule schedule_;
  ScheduleOptions options_;
  std::optional<optim::Scheduler> scheduler_;
};

class ReduceLrOnPlateau final : public CallbackHooks {
 public:
  explicit ReduceLrOnPlateau(const ReduceLrOnPlateauOptions& o)
      : options_(o), monitor_("reduce_lr_on_plateau", o.monitor, o.mode) {}

  void on_train_begin(TrainState& s) override {
    monitor_.start(s, std::fabs(options_.min_delta));
    wait_ = cooldown_ = 0;
  }
  void on_epoch_end(TrainState& s) override {
    if (cooldown_ > 0) {
      --cooldown_;
      wait_ = 0;
    }
    if (monitor_.improves(monitor_.current(s))) {
      wait_ = 0;
    } else if (cooldown_ == 0 && ++wait_ >= options_.patience) {
      for (int g = 0; g < s.optimizer.groups(); ++g)
        if (s.optimizer.lr(g) > options_.min_lr)
          s.optimizer.set_lr(std::max(s.optimizer.lr(g) * options_.factor, options_.min_lr), g);
      cooldown_ = options_.cooldown;
      wait_ = 0;
    }
  }

 private:
  ReduceLrOnPlateauOptions options_;
  detail::Monitor monitor_;
  int wait_ = 0, cooldown_ = 0;
};

class TerminateOnNan final : public CallbackHooks {
  void on_train_batch_end(TrainState& s) override {
    if (!std::isfinite(s.batch_loss)) s.stop = true;
  }
};

class Lambda final : public CallbackHooks {
 public:
  explicit Lambda(LambdaCallbackOptions f) : f_(std::move(f)) {}
  void on_train_begin(TrainState& s) override { call(f_.on_train_begin, s); }
  void on_train_end(TrainState& s) override { call(f_.on_train_end, s); }
  void on_epoch_begin(TrainState& s) override { call(f_.on_epoch_begin, s); }
  void on_epoch_end(TrainState& s) override { call(f_.on_epoch_end, s); }
  void on_train_batch_end(TrainState& s) override { call(f_.on_train_batch_end, s); }

 private:
  static void call(const Function<void(TrainState&)>& f, TrainState& s) {
    if (f) f(s);
  }
  LambdaCallbackOptions f_;
};

void check_not_negative(std::string_view op, std::string_view option, double value) {
  if (!(value >= 0)) throw ValueError(op, fmt::format("{} is {}: make it 0 or more", option, value));
}

}  // namespace

Callback early_stopping(const EarlyStoppingOptions& options) {
  detail::require_finite("early_stopping", "min_delta", options.min_delta);
  if (options.baseline) detail::require_finite("early_stopping", "baseline", *options.baseline);
  check_not_negative("early_stopping", "patience", options.patience);
  check_not_negative("early_stopping", "start_from_epoch", options.start_from_epoch);
  return Callback(new EarlyStopping(options));
}

Callback csv_logger(const std::string& path, const CsvLoggerOptions& options) {
  detail::check_separator("csv_logger", options.separator);
  return Callback(new CsvLogger(path, options));
}

Callback learning_rate_scheduler(Function<double(int, double)> f) {
  if (!f) detail::throw_null("learning_rate_scheduler", "the function");
  return Callback(new LearningRateFunction(std::move(f)));
}
Callback learning_rate_scheduler(optim::Schedule schedule, ScheduleOptions options) {
  return Callback(new LearningRateSchedule(std::move(schedule), options));
}

Callback reduce_lr_on_plateau(const ReduceLrOnPlateauOptions& options) {
  if (!(options.factor >= 0 && options.factor < 1))
    throw ValueError(
        "reduce_lr_on_plateau",
        fmt::format("factor is {}: the learning rate would not shrink: make it less than 1", options.factor));
  check_not_negative("reduce_lr_on_plateau", "patience", options.patience);
  check_not_negative("reduce_lr_on_plateau", "cooldown", options.cooldown);
  check_not_negative("reduce_lr_on_plateau", "min_lr", options.min_lr);
  detail::require_finite("reduce_lr_on_plateau", "min_delta", options.min_delta);
  return Callback(new ReduceLrOnPlateau(options));
}

Callback terminate_on_nan() { return Callback(new TerminateOnNan); }

Callback lambda_callback(LambdaCallbackOptions options) { return Callback(new Lambda(std::move(options))); }

}  // namespace xgrad::inline v0
