#include <fmt/format.h>

#include <xgrad/core/errors.hpp>
#include <xgrad/train/monitor.hpp>

namespace xgrad::inline v0::detail {

void Monitor::start(const TrainState& state, double min_delta) {
  if (!state.history.has(column_)) {
    const bool validation = column_.substr(0, 4) == "val_" && state.history.has(column_.substr(4));
    throw ValueError(
        op_, fmt::format("there is no column \"{}\" to monitor, only {}: {}", column_,
                         fmt::join(state.history.columns(), ", "),
                         validation ? "give fit .validation_data or .validation_split, or monitor \"" +
                                          column_.substr(4) + "\""
                                    : "monitor one of these"));
  }
  higher_ = mode_ == Better::automatic ? state.maximize(column_) : mode_ == Better::higher;
  best_ = higher_ ? -INFINITY : INFINITY;
  min_delta_ = min_delta;
}

}  // namespace xgrad::inline v0::detail
