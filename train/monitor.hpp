#pragma once
#include <cmath>
#include <string>

#include <xgrad/train/callback.hpp>

namespace xgrad::inline v0::detail {

/// Watches a column of the history for the callbacks that act on the best epoch.
class Monitor {
 public:
  Monitor(std::string_view op, std::string column, Better mode)
      : op_(op), column_(std::move(column)), mode_(mode) {}

  /// Forgets what was seen. Throws ValueError unless the fit has the column.
  void start(const TrainState& state, double min_delta);
  double current(const TrainState& state) const { return state.history.last(column_); }
  /// Whether `value` is better than `reference` by more than the minimal difference.
  bool better(double value, double reference) const {
    return higher_ ? value - min_delta_ > reference : value + min_delta_ < reference;
  }
  /// Whether `value` is better than all before it; it is then the best.
  bool improves(double value) {
    if (!better(value, best_)) return false;
    best_ = value;
    return true;
  }

 private:
  std::string_view op_;
  std::string column_;
  Better mode_;
  bool higher_ = false;
  double min_delta_ = 0, best_ = 0;
};

}  // namespace xgrad::inline v0::detail
