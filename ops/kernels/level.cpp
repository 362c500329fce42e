#include <xgrad/ops/kernels/level.hpp>

#include <cstdlib>
#include <string_view>

namespace xgrad::inline v0::kernels {

namespace detail {
int chosen_level = 0;

Level choose_level() noexcept {
  Level best = cpu_level();
  if (const char* wish = std::getenv("XGRAD_CPU")) {
    for (const Level lower : {Level::portable, Level::v3}) {
      if (std::string_view(wish) == name(lower) && lower < best) best = lower;
    }
  }
  __atomic_store_n(&chosen_level, static_cast<int>(best), __ATOMIC_RELAXED);
  return best;
}
}  // namespace detail

Level cpu_level() noexcept {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                  __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl");
  return v4 ? Level::v4 : v3 ? Level::v3 : Level::portable;
#else
  return Level::portable;
#endif
}

}  // namespace xgrad::inline v0::kernels
