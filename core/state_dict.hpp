#pragma once
#include <string>
#include <string_view>
#include <vector>

#include <xgrad/core/tensor.hpp>

namespace xgrad::inline v0 {

/// A tensor under the name by which people and files know it: a parameter's path ("hidden.weight"), or one
/// derived from it ("hidden.weight.exp_avg").
struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// What a model or an optimizer saves: tensors under distinct names, in a fixed order.
using StateDict = std::vector<NamedTensor>;

/// The entry called `name`, or null.
inline const Tensor* find(const StateDict& state, std::string_view name) {
  for (const NamedTensor& entry : state)
    if (entry.name == name) return &entry.tensor;
  return nullptr;
}

}  // namespace xgrad::inline v0
