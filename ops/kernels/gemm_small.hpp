#pragma once

#include <cstdint>

// Keeps a loop of a few turns from being vectorised, which would cost more than the turns.
#define XGRAD_GEMM_SCALAR __asm__ volatile("")

/// Our own matrix products: small matrices, vectors, and a few rows against transposed weights. No
/// allocation, no threads, no packing of large operands; the calling code decides when they pay. Only
/// gemm.cpp uses them.
namespace xgrad::inline v0::kernels::small {

/// C (m, n) = A (m, k) B (k, n) [+ C] [+ bias] [then relu]. Element (i, p) of A is a[i * a_row + p * a_col];
/// B has rows of n adjacent elements, ldb apart, or if transposed n rows of k adjacent elements.
template <class T>
struct Product {
  std::int64_t m, n, k;
  const T* a;
  std::int64_t a_row, a_col;
  const T* b;
  std::int64_t ldb;
  bool b_transposed;
  T* c;
  std::int64_t ldc;
  bool accumulate;
  const T* bias;  // n values or null
  bool relu;
};

/// Elements that `outer` has room for when it has to transpose B: a panel of its columns.
inline constexpr std::int64_t panel_capacity = 4096;
/// The most columns that a panel can have, at any level of instructions.
inline constexpr std::int64_t panel_columns = 32;

/// Rows of A times rows of B, vectors along n: for any layout of A. A transposed B is copied panel by panel,
/// which needs k * panel_columns <= panel_capacity.
void outer(const Product<float>& product) noexcept;
void outer(const Product<double>& product) noexcept;

/// Dot products, vectors along k: for a_col = 1 and a transposed B.
void dot(const Product<float>& product) noexcept;
void dot(const Product<double>& product) noexcept;

/// Columns in a panel of packed columns.
template <class T>
std::int64_t panel_width() noexcept;

/// Copies `rows` rows (up to panel_width) of k adjacent elements to a panel: as columns, k * panel_width
/// elements.
void pack(std::int64_t rows, std::int64_t k, const float* from, std::int64_t ld, float* panel) noexcept;
void pack(std::int64_t rows, std::int64_t k, const double* from, std::int64_t ld, double* panel) noexcept;

/// The most rows of a product that is stored transposed.
inline constexpr std::int64_t turned_rows_limit = 24;

/// Stores the transpose of the product: c is (n, m), ldc apart, and the bias has a value for each of m, which
/// are at most turned_rows_limit. The columns of B come packed, so b, ldb and b_transposed are not read. Of
/// two operands with rows along k this leaves the one in `product.a` as it is and needs a copy of the other
/// only: the one for few rows against a large matrix of weights.
void turned(const Product<float>& product, const float* panels) noexcept;
void turned(const Product<double>& product, const double* panels) noexcept;

/// Copies all columns of B to panels, of panel_elements elements.
template <class T>
std::int64_t panel_elements(std::int64_t n, std::int64_t k) noexcept;
void pack_panels(const Product<float>& product, float* panels) noexcept;
void pack_panels(const Product<double>& product, double* panels) noexcept;

/// A product of many rows with columns that come in panels: b, ldb and b_transposed are not read. Of a
/// transposed A it copies blocks of rows to `scratch`, of rows_elements elements.
template <class T>
std::int64_t rows_elements(std::int64_t k) noexcept;
void blocked(const Product<float>& product, const float* panels, float* scratch) noexcept;
void blocked(const Product<double>& product, const double* panels, double* scratch) noexcept;

}  // namespace xgrad::inline v0::kernels::small
