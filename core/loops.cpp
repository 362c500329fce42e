#include <cstdlib>
#include <xgrad/core/loops.hpp>

namespace xgrad::inline v0::detail {

void LoopPlan::row_offsets(std::int64_t row, std::int64_t* offsets) const {
  for (int k = 0; k < operands; ++k) offsets[k] = 0;
  for (int i = rank - 2; i >= 0; --i) {
    const std::int64_t at = row % sizes[i];
    row /= sizes[i];
    for (int k = 0; k < operands; ++k) offsets[k] += at * strides[k][i];
  }
}

LoopPlan plan_loops(const Shape& shape, std::initializer_list<const Array*> operands) {
  return plan_loops(shape, operands.begin(), static_cast<int>(operands.size()));
}

LoopPlan plan_loops(const Shape& shape, const Array* const* operands, int count) {
  LoopPlan plan;
  plan.operands = count;
  // Axes of size 1 do not matter; the others from the loosest to the tightest stride of the first operand.
  // (Sorted by insertion: they are few, and std::stable_sort would allocate.)
  const Shape lead = operands[0]->strides();
  int axes[max_rank];
  int n = 0;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] == 1) continue;
    int at = n++;
    for (; at > 0 && std::abs(lead[axes[at - 1]]) < std::abs(lead[i]); --at) axes[at] = axes[at - 1];
    axes[at] = i;
  }

  int rank = 0;
  for (int j = 0; j < n; ++j) {
    const int axis = axes[j];
    std::int64_t stride[max_operands];
    for (int k = 0; k < count; ++k) {
      const Array& a = *operands[k];
      const int own = axis - (shape.rank() - a.rank());
      stride[k] = own < 0 || a.shape()[own] == 1 ? 0 : a.stride(own);
    }
    bool merge = rank > 0;
    for (int k = 0; k < count && merge; ++k) merge = plan.strides[k][rank - 1] == stride[k] * shape[axis];
    if (!merge) ++rank;
    plan.sizes[rank - 1] = merge ? plan.sizes[rank - 1] * shape[axis] : shape[axis];
    for (int k = 0; k < count; ++k) plan.strides[k][rank - 1] = stride[k];
  }
  plan.rank = rank == 0 ? 1 : rank;
  return plan;
}

}  // namespace xgrad::inline v0::detail
