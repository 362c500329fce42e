#include <fmt/core.h>

#include <xgrad/core/require.hpp>
#include <xgrad/core/writable.hpp>

namespace xgrad::inline v0::detail {

WriteAccess::WriteAccess(const Tensor& leaf, DType dtype) : leaf_(leaf) {
  require_defined("Writable", leaf);
  if (!leaf.is_leaf())
    throw GraphError("Writable",
                     fmt::format("{} of shape {} was made by a recorded operation: use a leaf, or "
                                 "detach() it",
                                 leaf.describe(), leaf.shape().str()));
  if (leaf.dtype() != dtype)
    throw DTypeError("Writable",
                     fmt::format("{} of shape {} holds {}, not {}: name the type it holds", leaf.describe(),
                                 leaf.shape().str(), name(leaf.dtype()), name(dtype)));
  Array& a = leaf_.impl()->array;
  for (int i = 0; i < a.rank(); ++i)
    if (a.stride(i) == 0 && a.size(i) > 1)
      throw GraphError("Writable",
                       fmt::format("{} of shape {} is a broadcast view, whose elements share memory: write "
                                   "to a copy, by contiguous()",
                                   leaf.describe(), leaf.shape().str()));
  values_ = a.contiguous();
  a.bump_version();
}

WriteAccess::~WriteAccess() {
  Array& a = leaf_.impl()->array;
  if (!a.is_contiguous()) a.copy_in(values_);
  a.bump_version();  // for what was saved in between
}

}  // namespace xgrad::inline v0::detail
