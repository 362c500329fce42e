#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>
#include <xgrad/core/memory.hpp>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace xgrad::inline v0 {
namespace detail {

constinit thread_local SmallBlocks small_blocks{};

namespace {

constexpr std::size_t line = 64;
constexpr std::size_t slab_bytes = 64 * 1024;

// Size classes above the small ones: sixteen to a doubling, from 2 KiB up, so that at most a sixteenth is
// wasted. Each has a cache line more than a round number, for the header of a storage: payloads are round
// numbers.
constexpr int first_shift = 11;
constexpr int classes_to_double = 16;
constexpr int class_count = classes_to_double * (48 - first_shift);

struct SizeClass {
  int index;
  std::size_t bytes;
};

constexpr std::size_t class_bytes(int index) {
  const std::size_t base = std::size_t{1} << (index / classes_to_double + first_shift);
  return base + base / classes_to_double * static_cast<std::size_t>(index % classes_to_double + 1) + line;
}

SizeClass class_of(std::size_t bytes) {
  const std::size_t payload = bytes - line;
  const int shift = std::max(first_shift, static_cast<int>(std::bit_width(payload - 1)) - 1);
  const std::size_t base = std::size_t{1} << shift;  // base < payload <= 2 base
  const std::size_t step = base / classes_to_double;
  const std::size_t count = payload <= base ? 1 : (payload - base + step - 1) / step;
  const int index = classes_to_double * (shift - first_shift) + static_cast<int>(count) - 1;
  return {index, class_bytes(index)};
}

// Classes up to this size are cached per thread; larger blocks go through the shared pool, where a lock costs
// little beside the work on them.
constexpr int cached_classes = classes_to_double * (18 - first_shift);  // 256 KiB
constexpr std::size_t cache_limit_bytes = 2 * 1024 * 1024;              // kept per class and thread

struct FreeList {
  FreeBlock* head = nullptr;
  std::size_t count = 0;
  void push(void* block) {
    auto* f = static_cast<FreeBlock*>(block);
    f->next = head;
    head = f;
    ++count;
  }
  void* pop() {
    FreeBlock* f = head;
    if (f != nullptr) {
      head = f->next;
      --count;
    }
    return f;
  }
};

struct SharedPool {
  std::mutex mutex;
  std::array<FreeList, small_lines + 1> small;
  std::array<FreeList, class_count> large;
  std::int64_t reserved = 0;
  std::int64_t system_calls = 0;
};

// Never destroyed: tensors with static lifetime give blocks back after main.
SharedPool& shared_pool() {
  static SharedPool& pool = *new SharedPool;
  return pool;
}

struct MediumBlocks {
  FreeList free[cached_classes];
};
constinit thread_local MediumBlocks medium_blocks{};
constinit thread_local bool thread_is_ending = false;

void flush_thread() {
  SharedPool& pool = shared_pool();
  std::lock_guard lock(pool.mutex);
  for (std::uint32_t k = 1; k <= small_lines; ++k) {
    while (FreeBlock* f = small_blocks.free[k]) {
      small_blocks.free[k] = f->next;
      pool.small[k].push(f);
    }
    small_blocks.held[k] = 0;
  }
  for (int k = 0; k < cached_classes; ++k)
    while (void* f = medium_blocks.free[k].pop()) pool.large[static_cast<std::size_t>(k)].push(f);
}

// Returns the thread's blocks to the shared pool when it ends.
struct ThreadExit {
  ~ThreadExit() {
    flush_thread();
    thread_is_ending = true;
    for (std::uint32_t& n : small_blocks.held)
      n = small_limit;  // what is freed from here on is shared at once
  }
};
void watch_thread_exit() {
  static thread_local ThreadExit at_exit;
  static_cast<void>(at_exit);
}

void* from_system(std::size_t bytes) {
  constexpr std::size_t huge = 2 * 1024 * 1024;
  void* p = nullptr;  // not aligned_alloc: that wants a size that is a multiple of the alignment
  if (posix_memalign(&p, bytes >= 2 * huge ? huge : line, bytes) != 0) throw std::bad_alloc();
#ifdef __linux__
  // Large activations and gradients are walked from end to end: fewer pages are fewer misses.
  if (bytes >= 2 * huge) madvise(p, bytes / huge * huge, MADV_HUGEPAGE);
#endif
  return p;
}

void count_system_call(SharedPool& pool, std::size_t bytes) {
  pool.reserved += static_cast<std::int64_t>(bytes);
  ++pool.system_calls;
}

}  // namespace

void* allocate_lines_slow(std::uint32_t lines) {
  if (XGRAD_POOL_IS_SYSTEM) return from_system(lines * line);
  watch_thread_exit();
  SharedPool& pool = shared_pool();
  SmallBlocks& mine = small_blocks;
  std::lock_guard lock(pool.mutex);
  for (int k = 0; k < 64; ++k) {
    void* f = pool.small[lines].pop();
    if (f == nullptr) break;
    static_cast<FreeBlock*>(f)->next = mine.free[lines];
    mine.free[lines] = static_cast<FreeBlock*>(f);
    mine.held[lines] += lines;
  }
  if (mine.free[lines] == nullptr) {
    auto* slab = static_cast<std::byte*>(from_system(slab_bytes));
    count_system_call(pool, slab_bytes);
    const std::size_t bytes = lines * line;
    for (std::size_t at = slab_bytes / bytes * bytes; at >= bytes; at -= bytes) {
      auto* f = reinterpret_cast<FreeBlock*>(slab + at - bytes);
      f->next = mine.free[lines];
      mine.free[lines] = f;
      mine.held[lines] += lines;
    }
  }
  return allocate_lines(lines);
}

void free_lines_slow(void* block, std::uint32_t lines) noexcept {
  if (XGRAD_POOL_IS_SYSTEM) return std::free(block);
  SharedPool& pool = shared_pool();
  SmallBlocks& mine = small_blocks;
  std::lock_guard lock(pool.mutex);
  pool.small[lines].push(block);
  while (mine.held[lines] > small_limit / 2 && mine.free[lines] != nullptr) {
    FreeBlock* f = mine.free[lines];
    mine.free[lines] = f->next;
    mine.held[lines] -= lines;
    pool.small[lines].push(f);
  }
}

namespace {

/// A block of class `c` or, while there are several free ones, of the next `above` classes: the last one of a
/// class is left for what the rest of the step will ask for.
PoolBlock allocate_of_class(const SizeClass& c, int above) {
  if (c.index >= class_count) throw std::bad_alloc();
  const int last = std::min(c.index + above, class_count - 1);
  const auto usable = [&](const FreeList& list, int k) { return list.count > (k == c.index ? 0U : 1U); };
  for (int k = c.index; k <= std::min(last, cached_classes - 1); ++k)
    if (usable(medium_blocks.free[k], k)) return {medium_blocks.free[k].pop(), class_bytes(k)};
  if (c.index < cached_classes) watch_thread_exit();
  SharedPool& pool = shared_pool();
  {
    std::lock_guard lock(pool.mutex);
    for (int k = c.index; k <= last; ++k) {
      FreeList& list = pool.large[static_cast<std::size_t>(k)];
      if (usable(list, k)) return {list.pop(), class_bytes(k)};
    }
    count_system_call(pool, c.bytes);
  }
  return {from_system(c.bytes), c.bytes};
}

}  // namespace

void* allocate_large(std::size_t bytes) {
  if (XGRAD_POOL_IS_SYSTEM) return from_system(bytes);
  return allocate_of_class(class_of(bytes), 0).block;
}

PoolBlock allocate_large_at_least(std::size_t bytes) {
  if (XGRAD_POOL_IS_SYSTEM) return {from_system(bytes), bytes};
  return allocate_of_class(class_of(bytes), classes_to_double);
}

void free_large(void* block, std::size_t bytes) noexcept {
  if (XGRAD_POOL_IS_SYSTEM) return std::free(block);
  const SizeClass c = class_of(bytes);
  if (c.index < cached_classes && !thread_is_ending) {
    FreeList& mine = medium_blocks.free[c.index];
    if (mine.count * c.bytes < cache_limit_bytes) return mine.push(block);
  }
  SharedPool& pool = shared_pool();
  std::lock_guard lock(pool.mutex);
  pool.large[static_cast<std::size_t>(c.index)].push(block);
}

}  // namespace detail

MemoryStats memory_stats() {
  detail::SharedPool& pool = detail::shared_pool();
  std::lock_guard lock(pool.mutex);
  return {pool.reserved, pool.system_calls};
}

void release_cached_memory() {
  using namespace detail;
  flush_thread();
  SharedPool& pool = shared_pool();
  std::lock_guard lock(pool.mutex);
  for (int k = 0; k < class_count; ++k) {
    while (void* block = pool.large[static_cast<std::size_t>(k)].pop()) {
      std::free(block);
      pool.reserved -= static_cast<std::int64_t>(class_bytes(k));
    }
  }
}

}  // namespace xgrad::inline v0
