#pragma once
#include <xgrad/ops/index.hpp>

#include "tests/support/refusals.hpp"
#include "tests/support/values.hpp"

/// Wrong calls of the operations, a table for each family. Every registered operation is in one: see
/// errors.cpp.
namespace xgrad::test {

using Table = std::vector<Refusal>;

/// What a test hands to the calls; nothing of it may change.
struct Inputs {
  Tensor x = counting({2, 3}, true), v = counting({4}), c = counting({2, 2, 3}), p = counting({4, 1});
  Tensor flags = tensor({true, false}), ints = tensor({{1, 2, 3}, {4, 5, 6}}),
         bytes = tensor({1, 2}, {.dtype = uint8});
  Tensor empty = zeros({0, 3}), wide = zeros({1, 1, 1, 1, 1, 1, 1, 1});
  Tensor rows = tensor({{0, 0}});
  Tensor logits = counting({4, 3}), classes = tensor({0, 1, 2, 0});
  Tensor none;
};

Table elementwise(const Inputs& i);
Table reductions(const Inputs& i);
Table shapes(const Inputs& i);  // errors_shape.cpp
Table indexing(const Inputs& i);
Table products(const Inputs& i);  // errors_network.cpp
Table losses(const Inputs& i);
Table normalisations(const Inputs& i);

}  // namespace xgrad::test
