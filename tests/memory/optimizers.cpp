#include <xgrad/core/create.hpp>
#include <xgrad/optim/adam.hpp>

#include "tests/memory/counted.hpp"
#include "tests/support/catch.hpp"

using namespace xgrad;

TEST_CASE("after the first step an optimizer asks for no memory") {
  const TensorOptions o{.requires_grad = true};
  const Tensor small = zeros({3}, o), large = zeros({50000}, o), turned = zeros({7, 5}, o);
  optim::Adam adam({small, turned}, {.clip_norm = 1, .clip_value = 0.5});
  adam.group({large}, {.amsgrad = true, .clip_norm = 1});
  small.set_grad(ones({3}));
  large.set_grad(ones({50000}));
  turned.set_grad(Tensor(Array::full({5, 7}, 1, float32).transpose(0, 1)));
  const auto step = [&] { adam.step(); };
  CHECK(test::allocations(step, 1, 1).ours > 0);  // its state
  const test::Counted later = test::allocations(step, 1, 10);
  INFO(later.sources);
  CHECK(later.ours + later.libraries == 0);
}
