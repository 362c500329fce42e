#pragma once

#include <cstdint>

/// Matrix products over raw pointers, row-major, float and double.
namespace xgrad::inline v0::kernels {

/// What is applied to each element of a product before it is stored.
enum class Activation : std::uint8_t { none, relu, sigmoid, tanh };

/// What happens to a product besides being stored: C = activation(op(A) op(B) [+ C] [+ bias]).
template <class T>
struct GemmOptions {
  bool accumulate = false;  ///< add what C holds
  const T* bias = nullptr;  ///< n values, added to every row
  Activation activation = Activation::none;
};

/// C (m, n) = activation(op(A) (m, k) op(B) (k, n) [+ C] [+ bias]), where op transposes if its flag is set: a
/// holds (m, k), or (k, m) if transpose_a, with lda elements from one row to the next, at least the row's
/// length; b likewise; c holds (m, n). C overlaps nothing. Empty sizes are allowed; k = 0 is a product of
/// zeros. Bits do not depend on num_threads(): C is cut into tiles by shape and k is never split between
/// threads.
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda, bool transpose_a,
          const float* b, std::int64_t ldb, bool transpose_b, float* c, std::int64_t ldc,
          const GemmOptions<float>& options = {});
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const double* a, std::int64_t lda, bool transpose_a,
          const double* b, std::int64_t ldb, bool transpose_b, double* c, std::int64_t ldc,
          const GemmOptions<double>& options = {});

/// Distance in elements from one matrix of a batch to the next; 0 uses the same a or b for each.
struct BatchStrides {
  std::int64_t a, b, c;
};

/// The same for `batch` products of one shape, whose C must not overlap.
void gemm_batched(std::int64_t batch, const BatchStrides& strides, std::int64_t m, std::int64_t n,
                  std::int64_t k, const float* a, std::int64_t lda, bool transpose_a, const float* b,
                  std::int64_t ldb, bool transpose_b, float* c, std::int64_t ldc,
                  const GemmOptions<float>& options = {});
void gemm_batched(std::int64_t batch, const BatchStrides& strides, std::int64_t m, std::int64_t n,
                  std::int64_t k, const double* a, std::int64_t lda, bool transpose_a, const double* b,
                  std::int64_t ldb, bool transpose_b, double* c, std::int64_t ldc,
                  const GemmOptions<double>& options = {});

}  // namespace xgrad::inline v0::kernels
