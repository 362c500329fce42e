#pragma once
#include <cstdint>
#include <string>

#include "bench/allocations.hpp"

/// What steps ask of the system, in the whole process.
namespace xgrad::test {

/// Calls of malloc, calloc, realloc, posix_memalign, aligned_alloc, memalign, operator new and mmap.
struct Counted {
  std::uint64_t ours = 0, libraries = 0;
  std::string sources;  ///< "libdnnl.so.2: 1998", one after the other
};

/// Runs steps 1, 2, …, `last` and counts from step `first` on.
template <class Step>
Counted allocations(Step&& step, int first, int last) {
  for (int i = 1; i < first; ++i) step();
  bench::start_counting();
  for (int i = first; i <= last; ++i) step();
  Counted counted;
  for (const bench::AllocationSource& source : bench::stop_counting()) {
    (source.is_library() ? counted.libraries : counted.ours) += source.calls;
    counted.sources +=
        (counted.sources.empty() ? "" : ", ") + source.object + ": " + std::to_string(source.calls);
  }
  return counted;
}

}  // namespace xgrad::test
