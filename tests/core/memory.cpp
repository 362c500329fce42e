#include <algorithm>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>
#include <xgrad/core/memory.hpp>
#include "tests/support/catch.hpp"

using namespace xgrad;
using namespace xgrad::detail;

TEST_CASE("a block holds what was asked for, and what is told to give it back finds its class") {
  for (std::size_t bytes = 0; bytes <= 5000; ++bytes) {
    const PoolBlock first = pool_allocate_at_least(bytes), second = pool_allocate_at_least(bytes);
    std::memset(first.block, 1, first.bytes);
    std::memset(second.block, 2, second.bytes);
    CAPTURE(bytes, first.bytes);
    REQUIRE(first.bytes >= bytes);
    REQUIRE(reinterpret_cast<std::uintptr_t>(first.block) % 64 == 0);
    const auto* held = static_cast<const unsigned char*>(first.block);
    REQUIRE(std::all_of(held, held + first.bytes, [](unsigned char c) { return c == 1; }));
    if (first.bytes <= small_lines * 64) {
      REQUIRE(lines_of(first.bytes) == lines_of(bytes));
      REQUIRE(lines_of(bytes) * std::size_t{64} >= bytes);
    }
    pool_free(first.block, first.bytes);
    pool_free(second.block, second.bytes);
  }
}

#if !XGRAD_POOL_IS_SYSTEM
TEST_CASE("blocks that were freed serve the same thread, and beyond 4 MiB of a class every other") {
  const std::size_t bytes = GENERATE(64, 1000, 2112);
  const std::size_t count = (12 << 20) / bytes;
  const auto use = [&](std::size_t blocks) {
    std::vector<void*> held;
    for (std::size_t i = 0; i < blocks; ++i) held.push_back(pool_allocate(bytes));
    for (void* block : held) pool_free(block, bytes);
  };
  use(count);
  const std::int64_t calls = memory_stats().system_calls;
  use(count);
  CHECK(memory_stats().system_calls == calls);
  std::thread([&] { use(count / 2); }).join();  // 6 MiB: this thread keeps 4 of the 12
  CHECK(memory_stats().system_calls == calls);
}
#endif
