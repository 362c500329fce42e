#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

/// The memory pool. A training step repeats itself, so blocks that were freed once are what the next step
/// asks for: every thread keeps lists of free blocks by size class, a shared pool behind them balances
/// threads, and the system is asked only when both are empty.
namespace xgrad::inline v0 {

/// What the pool holds, over all threads, in bytes.
struct MemoryStats {
  std::int64_t reserved = 0;      ///< obtained from the system and not given back
  std::int64_t system_calls = 0;  ///< how often the system was asked
};
MemoryStats memory_stats();

/// Gives the free blocks of the shared pool and of the calling thread that came one by one from the system
/// (the large ones) back to it.
void release_cached_memory();

namespace detail {

struct FreeBlock {
  FreeBlock* next;
};

/// Blocks of 1 to `small_lines` cache lines are kept in per-thread lists that are popped inline: up to 2 KiB,
/// a batch of 32 by 16 floats, and a line for the header of a storage.
inline constexpr std::uint32_t small_lines = 33;

/// Cache lines of a small block that holds `bytes`. Beyond a KiB only every fourth count is used, since each
/// has a slab of its own.
constexpr std::uint32_t lines_of(std::size_t bytes) {
  const auto lines = static_cast<std::uint32_t>((bytes + 63) / 64);
  if (lines > 17) return (lines + 2) / 4 * 4 + 1;
  return lines == 0 ? 1 : lines;
}

/// The calling thread's free small blocks, and how many cache lines each list holds. Trivial, so that access
/// needs no guard.
struct SmallBlocks {
  FreeBlock* free[small_lines + 1];
  std::uint32_t held[small_lines + 1];
};
extern constinit thread_local SmallBlocks small_blocks;
inline constexpr std::uint32_t small_limit = 1u << 16;  // lines of a class that a thread keeps: 4 MiB

void* allocate_lines_slow(std::uint32_t lines);
void free_lines_slow(void* block, std::uint32_t lines) noexcept;

// Under a sanitizer every block comes from the system, so that use after free is seen.
#if defined(__SANITIZE_ADDRESS__)
#define XGRAD_POOL_IS_SYSTEM 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define XGRAD_POOL_IS_SYSTEM 1
#endif
#endif
#ifndef XGRAD_POOL_IS_SYSTEM
#define XGRAD_POOL_IS_SYSTEM 0
#endif

/// A block of `lines` ≤ `small_lines` cache lines of 64 bytes.
inline void* allocate_lines(std::uint32_t lines) {
  SmallBlocks& t = small_blocks;
  FreeBlock* f = t.free[lines];
  if (f == nullptr) [[unlikely]]
    return allocate_lines_slow(lines);
  t.free[lines] = f->next;
  t.held[lines] -= lines;
  return f;
}

inline void free_lines(void* block, std::uint32_t lines) noexcept {
  SmallBlocks& t = small_blocks;
  if (XGRAD_POOL_IS_SYSTEM || t.held[lines] >= small_limit) [[unlikely]]
    return free_lines_slow(block, lines);
  auto* f = static_cast<FreeBlock*>(block);
  f->next = t.free[lines];
  t.free[lines] = f;
  t.held[lines] += lines;
}

struct PoolBlock {
  void* block;
  std::size_t bytes;  ///< what it holds, to be told to `pool_free`
};

void* allocate_large(std::size_t bytes);
PoolBlock allocate_large_at_least(std::size_t bytes);
void free_large(void* block, std::size_t bytes) noexcept;

/// A block of at least `bytes` bytes, aligned to 64. Throws std::bad_alloc.
inline void* pool_allocate(std::size_t bytes) {
  if (bytes > small_lines * 64) return allocate_large(bytes);
  return allocate_lines(lines_of(bytes));
}

/// The same for what varies in size from step to step, as batches do: rather than to ask the system it takes
/// a free block of up to twice the size. Throws std::bad_alloc.
inline PoolBlock pool_allocate_at_least(std::size_t bytes) {
  if (bytes > small_lines * 64) return allocate_large_at_least(bytes);
  const std::uint32_t lines = lines_of(bytes);
  return {allocate_lines(lines), lines * std::size_t{64}};
}

/// Gives a block back, on any thread: `bytes` is what was asked of `pool_allocate`, or what
/// `pool_allocate_at_least` answered.
inline void pool_free(void* block, std::size_t bytes) noexcept {
  if (bytes > small_lines * 64) return free_large(block, bytes);
  free_lines(block, lines_of(bytes));
}

/// For containers that a training step makes anew: their storage comes from the pool.
template <class T>
struct PoolAllocator {
  using value_type = T;
  PoolAllocator() = default;
  template <class U>
  PoolAllocator(const PoolAllocator<U>&) noexcept {}
  T* allocate(std::size_t n) { return static_cast<T*>(pool_allocate(n * sizeof(T))); }
  void deallocate(T* block, std::size_t n) noexcept { pool_free(block, n * sizeof(T)); }
  bool operator==(const PoolAllocator&) const { return true; }
};

/// A reference count. Most counts are 1 when they are dropped, and then no locked instruction is needed:
/// nobody else can hold a reference that they could copy.
class RefCount {
 public:
  void increment() { n_.fetch_add(1, std::memory_order_relaxed); }
  /// Whether that was the last reference.
  bool decrement() {
    return n_.load(std::memory_order_acquire) == 1 || n_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }
  bool unique() const { return n_.load(std::memory_order_acquire) == 1; }

 private:
  std::atomic<std::uint32_t> n_{1};
};

}  // namespace detail
}  // namespace xgrad::inline v0
