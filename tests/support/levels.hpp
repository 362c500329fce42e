#pragma once
#include <vector>

#include <xgrad/ops/kernels/level.hpp>

#include "tests/support/catch.hpp"

/// For tests of what runs at each level of vector instructions.
namespace xgrad::test {

/// The levels that this CPU has, in rising order; says once which it lacks.
inline const std::vector<kernels::Level>& levels() {
  static const std::vector<kernels::Level> all = [] {
    std::vector<kernels::Level> has;
    for (const auto l : {kernels::Level::portable, kernels::Level::v3, kernels::Level::v4}) {
      if (l <= kernels::cpu_level())
        has.push_back(l);
      else
        WARN("this CPU lacks level " << kernels::name(l) << ": it is not tested here");
    }
    return has;
  }();
  return all;
}

/// Restores the level in use.
class LevelGuard {
 public:
  LevelGuard() : before_(kernels::level()) {}
  ~LevelGuard() { set(before_); }
  LevelGuard(const LevelGuard&) = delete;
  LevelGuard& operator=(const LevelGuard&) = delete;
  /// Every kernel runs at `level`, until the next one is set.
  void set(kernels::Level level) {
    __atomic_store_n(&kernels::detail::chosen_level, static_cast<int>(level), __ATOMIC_RELAXED);
  }

 private:
  kernels::Level before_;
};

}  // namespace xgrad::test
