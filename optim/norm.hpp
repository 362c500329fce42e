#pragma once
#include <span>
#include <xgrad/core/dtype.hpp>

/// The norm of gradients, for clipping by it.
namespace xgrad::inline v0::optim::detail {

/// Floating numbers next to each other in memory.
struct Vector {
  const std::byte* data;
  std::int64_t size;
  DType dtype;
};

/// √(Σ x²) over the elements of all vectors, summed in double, the same to the bit for any number of threads.
double norm(std::span<const Vector> vectors);

/// min(1, limit / (norm + 1e-6)), as PyTorch.
double clip_factor(double norm, double limit);

}  // namespace xgrad::inline v0::optim::detail
