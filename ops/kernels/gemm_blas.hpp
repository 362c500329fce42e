#pragma once

#include <cstdint>

/// The matrix products of oneDNN and of CBLAS, held to the calling thread. Only gemm.cpp uses them.
namespace xgrad::inline v0::kernels::blas {

/// C = op(A) op(B) [+ C] on the calling thread, arguments as in gemm. Sizes are at least 1.
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda, bool transpose_a,
          const float* b, std::int64_t ldb, bool transpose_b, float* c, std::int64_t ldc,
          bool accumulate) noexcept;
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const double* a, std::int64_t lda, bool transpose_a,
          const double* b, std::int64_t ldb, bool transpose_b, double* c, std::int64_t ldc,
          bool accumulate) noexcept;

/// Which library serves float. Decided by the CPU, never by timing.
bool float_uses_onednn() noexcept;

/// While one of these lives, OpenBLAS runs each call on the thread that makes it; afterwards it has the
/// number of threads it had. Must surround every gemm that CBLAS serves, outside the parallel region.
class OneBlasThread {
 public:
  OneBlasThread() noexcept;
  ~OneBlasThread();
  OneBlasThread(const OneBlasThread&) = delete;
  OneBlasThread& operator=(const OneBlasThread&) = delete;
};

}  // namespace xgrad::inline v0::kernels::blas
