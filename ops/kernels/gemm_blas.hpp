#pragma once

#include <cstdint>

/// The matrix products of oneDNN and of CBLAS, held to the calling thread. Only gemm.cpp uses them.
namespace xgrad::inline v0::kernels::blas {

/// C = op(A) op(B) [+ C] on the calling thread, arguments as in gemm. Sizes are at least 1.
template <class T>
using Product = void(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda,
                     bool transpose_a, const T* b, std::int64_t ldb, bool transpose_b, T* c, std::int64_t ldc,
                     bool accumulate) noexcept;

/// By CBLAS; within the life of a OneBlasThread.
Product<float> cblas;
Product<double> cblas;

/// By oneDNN, or by CBLAS should it have no memory.
Product<float> onednn;

/// Whether oneDNN is there and worth asking: other than on x86-64 its product is reference code.
bool has_onednn() noexcept;

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
