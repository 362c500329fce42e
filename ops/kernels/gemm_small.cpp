#include <xgrad/ops/kernels/gemm_small.hpp>

#include <xgrad/ops/kernels/level.hpp>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Tiles live in registers only if every loop over a tile is unrolled.
#if defined(__clang__)
#define XGRAD_GEMM_UNROLL _Pragma("clang loop unroll(full)")
#else
#define XGRAD_GEMM_UNROLL _Pragma("GCC unroll 32")
#endif

// Keeps the compiler from reading an operand of several multiplications from memory for each of them.
#if defined(__x86_64__)
#define XGRAD_GEMM_IN_REGISTER(v) __asm__("" : "+v"(v))
#else
#define XGRAD_GEMM_IN_REGISTER(v) (void)0
#endif

namespace xgrad::inline v0::kernels::small {
namespace {

namespace portable {
#define XGRAD_GEMM_LEVEL 2
#include <xgrad/ops/kernels/gemm_small_body.hpp>
}  // namespace portable

#if defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,bmi,bmi2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,bmi,bmi2")
#endif
namespace v3 {
#define XGRAD_GEMM_LEVEL 3
#include <xgrad/ops/kernels/gemm_small_body.hpp>
}  // namespace v3
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(                                                                 \
    __attribute__((target("avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,fma,bmi,bmi2"))), \
    apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,fma,bmi,bmi2")
#endif
namespace v4 {
#define XGRAD_GEMM_LEVEL 4
#include <xgrad/ops/kernels/gemm_small_body.hpp>
}  // namespace v4
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif  // __x86_64__

}  // namespace

#if defined(__x86_64__)
#define XGRAD_GEMM_DISPATCH(call) \
  switch (level()) {              \
    case Level::v4:               \
      return v4::call;            \
    case Level::v3:               \
      return v3::call;            \
    case Level::portable:         \
      break;                      \
  }                               \
  return portable::call;
#else
#define XGRAD_GEMM_DISPATCH(call) return portable::call;
#endif

#define XGRAD_GEMM_DEFINE(T)                                                                        \
  template <>                                                                                       \
  std::int64_t panel_width<T>() noexcept {                                                          \
    XGRAD_GEMM_DISPATCH(panel_width<T>())                                                           \
  }                                                                                                 \
  void outer(const Product<T>& product) noexcept { XGRAD_GEMM_DISPATCH(outer(product)) }            \
  void dot(const Product<T>& product) noexcept { XGRAD_GEMM_DISPATCH(dot(product)) }                \
  void pack(std::int64_t rows, std::int64_t k, const T* from, std::int64_t ld, T* panel) noexcept { \
    XGRAD_GEMM_DISPATCH(pack(rows, k, from, ld, panel))                                             \
  }                                                                                                 \
  void turned(const Product<T>& product, const T* panels) noexcept {                                \
    XGRAD_GEMM_DISPATCH(turned(product, panels))                                                    \
  }                                                                                                 \
  template <>                                                                                       \
  std::int64_t panel_elements<T>(std::int64_t n, std::int64_t k) noexcept {                         \
    XGRAD_GEMM_DISPATCH(panel_elements<T>(n, k))                                                    \
  }                                                                                                 \
  void pack_panels(const Product<T>& product, T* panels) noexcept {                                 \
    XGRAD_GEMM_DISPATCH(pack_panels(product, panels))                                               \
  }                                                                                                 \
  template <>                                                                                       \
  std::int64_t rows_elements<T>(std::int64_t k) noexcept {                                          \
    XGRAD_GEMM_DISPATCH(rows_elements<T>(k))                                                        \
  }                                                                                                 \
  void blocked(const Product<T>& product, const T* panels, T* scratch) noexcept {                   \
    XGRAD_GEMM_DISPATCH(blocked(product, panels, scratch))                                          \
  }
XGRAD_GEMM_DEFINE(float)
XGRAD_GEMM_DEFINE(double)

}  // namespace xgrad::inline v0::kernels::small
