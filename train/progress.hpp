#pragma once
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

namespace xgrad::inline v0::detail {

/// Reports a fit. On a terminal: a line that is drawn over as batches go by, with a bar, rate, time left,
/// loss and metrics. Elsewhere, or if asked to be plain: one line for each epoch.
class Progress {
 public:
  /// Writes nothing without `out`. Names and values are those of the history's columns; the first `running`
  /// ones are known while an epoch runs.
  Progress(std::FILE* out, bool redraw, int epochs, std::int64_t samples,
           const std::vector<std::string>& names, std::size_t running);

  /// Whether anything is to be drawn during an epoch.
  bool redraws() const { return redraw_; }
  void begin_epoch(int epoch);
  /// After a batch: `done` samples of this epoch. Draws at most 20 times a second; `values` is asked only
  /// then.
  template <class F>
  void update(std::int64_t done, F&& values) {
    const auto now = Clock::now();
    if (now < next_draw_) return;
    next_draw_ = now + std::chrono::milliseconds(50);
    draw(now, done, values());
  }
  void end_epoch(std::int64_t done, std::span<const double> values);

 private:
  using Clock = std::chrono::steady_clock;
  void draw(Clock::time_point now, std::int64_t done, std::span<const double> values);
  void append_values(std::string& line, std::span<const double> values) const;
  void write(const std::string& text) const;

  std::FILE* out_;
  bool redraw_;
  int epochs_, epoch_ = 0;
  std::int64_t samples_;
  const std::vector<std::string>& names_;
  std::size_t running_;
  Clock::time_point start_, next_draw_;
};

/// "12:34" or "1:02:03".
std::string clock_text(double seconds);
/// Samples a second with three digits: "987", "12.3k", "1.23M".
std::string rate_text(double rate);

}  // namespace xgrad::inline v0::detail
