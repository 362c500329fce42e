#include <fmt/core.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <xgrad/train/progress.hpp>

namespace xgrad::inline v0::detail {

namespace {

constexpr int bar_width = 20;

std::size_t terminal_width(std::FILE* out) {
  winsize size{};
  return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string seconds_text(double s) { return s < 60 ? fmt::format("{:.1f} s", s) : clock_text(s); }

}  // namespace

std::string clock_text(double seconds) {
  const auto s = static_cast<long long>(std::max(0.0, seconds) + 0.5);
  return s < 3600 ? fmt::format("{}:{:02}", s / 60, s % 60)
                  : fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

std::string rate_text(double rate) {
  const char* unit = "";
  for (const char* next : {"k", "M", "G"}) {
    if (rate < 999.5) break;
    rate /= 1000;
    unit = next;
  }
  return fmt::format("{:.{}f}{}", rate, *unit == 0 || rate >= 99.95 ? 0 : rate >= 9.995 ? 1 : 2, unit);
}

Progress::Progress(std::FILE* out, bool redraw, int epochs, std::int64_t samples,
                   const std::vector<std::string>& names, std::size_t running)
    : out_(out),
      redraw_(out != nullptr && redraw),
      epochs_(epochs),
      samples_(samples),
      names_(names),
      running_(running) {}

void Progress::begin_epoch(int epoch) {
  epoch_ = epoch;
  if (out_ == nullptr) return;
  start_ = Clock::now();
  next_draw_ = start_ + std::chrono::milliseconds(50);
}

void Progress::append_values(std::string& line, std::span<const double> values) const {
  for (std::size_t i = 0; i < values.size(); ++i) line += fmt::format("  {} {:.4g}", names_[i], values[i]);
}

void Progress::draw(Clock::time_point now, std::int64_t done, std::span<const double> values) {
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const double share = static_cast<double>(done) / static_cast<double>(samples_);
  const double rate = static_cast<double>(done) / elapsed;
  const auto filled = static_cast<std::size_t>(share * bar_width);
  std::string line = fmt::format("Epoch {}/{}  [{:<{}}] {:3.0f}%  {} samples/s  ETA {}", epoch_ + 1, epochs_,
                                 std::string(filled, '='), bar_width, share * 100, rate_text(rate),
                                 clock_text(static_cast<double>(samples_ - done) / rate));
  append_values(line, values.first(std::min(running_, values.size())));
  line.resize(std::min(line.size(), terminal_width(out_) - 1));
  write("\r\033[K" + line);
}

void Progress::end_epoch(std::int64_t done, std::span<const double> values) {
  if (out_ == nullptr) return;
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  std::string line = redraw_ ? "\r\033[K" : "";
  line += fmt::format("Epoch {}/{}  {}  {} samples/s", epoch_ + 1, epochs_, seconds_text(elapsed),
                      rate_text(static_cast<double>(done) / elapsed));
  append_values(line, values);
  write(line + "\n");
}

void Progress::write(const std::string& text) const {
  std::fwrite(text.data(), 1, text.size(), out_);
  std::fflush(out_);
}

}  // namespace xgrad::inline v0::detail
