#pragma once

/// \file
/// Which vector instructions run: chosen once, at run time, so that one binary is fast on every x86-64 CPU.
///
/// The code for v3 and v4 is made by `target` attributes on a few driver functions (map.hpp), never by
/// compiler flags, so it works the same in a program compiled for plain x86-64.

/// Forces a function into its caller. Needed on everything that a driver runs: clang's `flatten` reaches only
/// the calls written in the driver itself, where GCC's reaches all calls below it.
#define XGRAD_SIMD_INLINE [[gnu::always_inline]] inline
#define XGRAD_SIMD_LAMBDA __attribute__((always_inline))

// A loop takes two or four packs at a time, and they should advance together: one alone is a chain of
// dependent operations, longer than the CPU looks ahead. GCC for x86 orders instructions before it assigns
// registers, which is what that takes, only where it is told to (clang always does). The other two are the
// library's own flags, for loops that are compiled into a user's program.
#if defined(__clang__)
#define XGRAD_SIMD_SCHEDULED
#else
#define XGRAD_SIMD_SCHEDULED \
  [[gnu::optimize("schedule-insns", "sched-pressure", "no-math-errno", "no-trapping-math")]]
#endif

// Unoptimised builds compile the portable path alone: without inlining, every pack operation would be a call
// into a function compiled for the baseline.
#if defined(__x86_64__) && defined(__OPTIMIZE__)
#define XGRAD_SIMD_X86 1
#define XGRAD_SIMD_TARGET_V3 "avx2,fma,bmi,bmi2"
#define XGRAD_SIMD_TARGET_V4 "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,fma,bmi,bmi2"
#else
#define XGRAD_SIMD_X86 0
#endif

namespace xgrad::inline v0::kernels {

/// Levels of vector instructions, in rising order. `portable` is whatever the compiler targets (SSE2 on
/// x86-64, NEON on AArch64) in 16-byte packs, v3 is AVX2 with FMA in 32-byte packs, v4 is AVX-512 (F, BW, CD,
/// DQ, VL) in 64-byte packs.
enum class Level : int { portable = 2, v3 = 3, v4 = 4 };

/// The highest level that this CPU (and operating system) supports.
[[gnu::visibility("default")]] Level cpu_level() noexcept;

namespace detail {
/// The level in use, 0 before the first question.
[[gnu::visibility("default")]] extern int chosen_level;
[[gnu::visibility("default")]] Level choose_level() noexcept;
}  // namespace detail

/// The level in use: the CPU's, or a lower one when the environment variable XGRAD_CPU says v2, v3 or v4 (v2
/// is `portable`; more than the CPU has gives what it has). Read once; the same for the life of the process.
inline Level level() noexcept {
  const int known = __atomic_load_n(&detail::chosen_level, __ATOMIC_RELAXED);
  return __builtin_expect(known != 0, 1) ? static_cast<Level>(known) : detail::choose_level();
}

/// Its name, for reports: "v2", "v3" or "v4".
constexpr const char* name(Level l) { return l == Level::v4 ? "v4" : l == Level::v3 ? "v3" : "v2"; }

}  // namespace xgrad::inline v0::kernels
