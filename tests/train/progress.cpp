#include <thread>
#include <xgrad/train/progress.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad::detail;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

const std::vector<std::string> names{"loss", "accuracy", "val_loss", "lr"};

/// What one epoch of 100 samples prints, drawn at 40.
std::string printed(bool terminal, int pause_ms) {
  std::FILE* f = std::tmpfile();
  REQUIRE(f != nullptr);
  Progress progress(f, terminal, 10, 100, names, 2);
  progress.begin_epoch(2);
  if (pause_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms));
  const std::vector<double> running{0.5, 0.875}, all{0.25, 0.9, 0.3, 0.001};
  if (progress.redraws()) progress.update(40, [&] { return std::span<const double>(running); });
  progress.end_epoch(100, all);
  std::string text(static_cast<std::size_t>(std::ftell(f)), ' ');
  std::rewind(f);
  REQUIRE(std::fread(text.data(), 1, text.size(), f) == text.size());
  std::fclose(f);
  return text;
}

}  // namespace

TEST_CASE("without a terminal an epoch is one plain line") {
  const std::string text = printed(false, 0);
  CHECK_THAT(text, StartsWith("Epoch 3/10  "));
  CHECK_THAT(text, Contains(" samples/s  loss 0.25  accuracy 0.9  val_loss 0.3  lr 0.001\n"));
  CHECK(text.find('\r') == std::string::npos);
  CHECK(text.find('\033') == std::string::npos);
}

TEST_CASE("on a terminal a line with a bar, rate and time left is drawn over by the epoch's result") {
  const std::string text = printed(true, 60);
  CHECK_THAT(text, StartsWith("\r\033[KEpoch 3/10  [========            ]  40%  "));
  CHECK_THAT(text, Contains("samples/s  ETA 0:00  loss"));
  CHECK(text.find("val_loss") > text.find("\r\033[K", 1));
  CHECK(text.back() == '\n');
  CHECK(text.find('\n') == text.size() - 1);
}

TEST_CASE("the line is not drawn more often than the eye can follow") {
  const std::string text = printed(true, 0);
  CHECK(text.find('[', 5) == std::string::npos);  // the first 50 ms draw no bar
}

TEST_CASE("without an output nothing is drawn") {
  Progress progress(nullptr, true, 1, 1, names, 2);
  CHECK_FALSE(progress.redraws());
  progress.begin_epoch(0);
  progress.end_epoch(1, {});
}

TEST_CASE("times and rates are short") {
  CHECK(clock_text(0.2) == "0:00");
  CHECK(clock_text(75) == "1:15");
  CHECK(clock_text(3725) == "1:02:05");
  CHECK(rate_text(7.4) == "7");
  CHECK(rate_text(987) == "987");
  CHECK(rate_text(12345) == "12.3k");
  CHECK(rate_text(999700) == "1.00M");
  CHECK(rate_text(123456789) == "123M");
}
