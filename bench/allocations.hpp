#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// Counts what the whole process asks of the system: malloc, calloc, realloc, posix_memalign, aligned_alloc,
/// memalign, operator new and mmap are interposed by the program that links allocations.cpp: the benchmark
/// and the tests of tests/memory. While neither counting nor tracking is on, a call costs one predictable
/// branch more than glibc's own.
namespace bench {

/// The calls that came from one loaded object (the program itself or a shared library).
struct AllocationSource {
  std::string object;  ///< file name without folders, "libdnnl.so.2"
  std::uint64_t calls = 0;

  /// Whether it is a library under the system that is measured, whose calls are told apart from its own.
  bool is_library() const;
};

/// Counts calls by the object that made them until `stop_counting`.
void start_counting();
std::vector<AllocationSource> stop_counting();

/// Follows the live bytes of the heap and of anonymous maps from here on. To be called before anything that
/// matters is allocated: what a memory pool already holds is not seen.
void start_tracking();
/// Forgets the peak so far: the next `peak_bytes` is that of what runs in between.
void reset_peak();
std::size_t peak_bytes();

}  // namespace bench
