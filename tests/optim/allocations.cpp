// A program that counts what it asks of `new`, so that a step can be seen to ask for nothing.
#include <atomic>
#include <cstdlib>
#include <new>
#include <xgrad/core/create.hpp>
#include <xgrad/optim/adam.hpp>
#include <xgrad/optim/sgd.hpp>

#include "tests/support/catch.hpp"

namespace {
std::atomic<std::int64_t> allocations{0};
}

void* operator new(std::size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* p = std::malloc(bytes)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

using namespace xgrad;

TEST_CASE("after the first step an optimizer asks for no memory") {
  const TensorOptions o{.requires_grad = true};
  const Tensor small = zeros({3}, o), large = zeros({50000}, o), turned = zeros({7, 5}, o);
  optim::Adam adam({small, turned}, {.clip_norm = 1, .clip_value = 0.5});
  adam.group({large}, {.amsgrad = true, .clip_norm = 1});
  small.set_grad(ones({3}));
  large.set_grad(ones({50000}));
  turned.set_grad(Tensor(Array::full({5, 7}, 1, float32).transpose(0, 1)));
  const std::int64_t at_first = allocations;
  adam.step();
  CHECK(allocations > at_first);
  const std::int64_t before = allocations, system = memory_stats().system_calls;
  for (int t = 0; t < 10; ++t) adam.step();
  const std::int64_t after = allocations;
  CHECK(after == before);
  CHECK(memory_stats().system_calls == system);
}
