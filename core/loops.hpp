#pragma once
#include <xgrad/core/array.hpp>

/// Walking several arrays together. A plan broadcasts the operands, merges axes that lie side by side in all
/// of them and sorts axes so that the innermost one is the tightest in the first operand.
namespace xgrad::inline v0::detail {

inline constexpr int max_operands = 8;

/// Sizes and strides (in elements, 0 along a broadcast axis) of a loop nest over `operands` arrays. The last
/// axis is the innermost; there is always at least one.
struct LoopPlan {
  int rank = 1;
  int operands = 0;
  std::int64_t sizes[max_rank] = {1};
  std::int64_t strides[max_operands][max_rank] = {};

  std::int64_t inner_size() const { return sizes[rank - 1]; }
  std::int64_t inner_stride(int operand) const { return strides[operand][rank - 1]; }
  /// The number of innermost rows.
  std::int64_t rows() const {
    std::int64_t n = 1;
    for (int i = 0; i + 1 < rank; ++i) n *= sizes[i];
    return n;
  }
  /// Offsets (in elements) of row `row` in each operand.
  void row_offsets(std::int64_t row, std::int64_t* offsets) const;
};

/// The plan for operands that all broadcast to `shape`; the first one has that shape.
LoopPlan plan_loops(const Shape& shape, std::initializer_list<const Array*> operands);
LoopPlan plan_loops(const Shape& shape, const Array* const* operands, int count);

/// Calls `f(const std::int64_t* offsets)` for the rows in [begin, end) of the plan, in order.
template <class F>
void for_each_row(const LoopPlan& plan, std::int64_t begin, std::int64_t end, F&& f) {
  std::int64_t index[max_rank];
  std::int64_t rest = begin;
  for (int i = plan.rank - 2; i >= 0; --i) {
    index[i] = rest % plan.sizes[i];
    rest /= plan.sizes[i];
  }
  std::int64_t offsets[max_operands];
  plan.row_offsets(begin, offsets);
  for (std::int64_t row = begin; row < end; ++row) {
    f(static_cast<const std::int64_t*>(offsets));
    for (int i = plan.rank - 2; i >= 0; --i) {
      ++index[i];
      for (int k = 0; k < plan.operands; ++k) offsets[k] += plan.strides[k][i];
      if (index[i] < plan.sizes[i]) break;
      for (int k = 0; k < plan.operands; ++k) offsets[k] -= plan.strides[k][i] * plan.sizes[i];
      index[i] = 0;
    }
  }
}

}  // namespace xgrad::inline v0::detail
