#include "allocations.hpp"

#include <dlfcn.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <new>

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);
}

namespace {

std::atomic<bool> counting{false};
std::atomic<bool> tracking{false};
std::atomic<std::int64_t> live{0};
std::atomic<std::int64_t> peak{0};

/// One call site by its return address. The table is fixed in size since counting must not allocate; calls
/// from more sites than it holds are counted as the program's own.
struct Site {
  std::atomic<void*> address{nullptr};
  std::atomic<std::uint64_t> calls{0};
};
constexpr std::size_t site_count = 4096;
std::array<Site, site_count> sites;
std::atomic<std::uint64_t> unplaced{0};

void count(void* caller) {
  const std::size_t first = (reinterpret_cast<std::uintptr_t>(caller) >> 2) % site_count;
  for (std::size_t i = 0; i < site_count; ++i) {
    Site& site = sites[(first + i) % site_count];
    void* held = nullptr;
    if (site.address.compare_exchange_strong(held, caller) || held == caller) {
      site.calls.fetch_add(1, std::memory_order_relaxed);
      return;
    }
  }
  unplaced.fetch_add(1, std::memory_order_relaxed);
}

void grow(std::int64_t bytes) {
  const std::int64_t now = live.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  std::int64_t seen = peak.load(std::memory_order_relaxed);
  while (now > seen && !peak.compare_exchange_weak(seen, now, std::memory_order_relaxed)) {
  }
}

void* allocated(void* block, void* caller) {
  if (counting.load(std::memory_order_relaxed)) [[unlikely]]
    count(caller);
  if (block != nullptr && tracking.load(std::memory_order_relaxed)) [[unlikely]]
    grow(static_cast<std::int64_t>(malloc_usable_size(block)));
  return block;
}

void release(void* block) {
  if (block != nullptr && tracking.load(std::memory_order_relaxed)) [[unlikely]]
    live.fetch_sub(static_cast<std::int64_t>(malloc_usable_size(block)), std::memory_order_relaxed);
  __libc_free(block);
}

void* allocate_or_throw(std::size_t size, std::size_t alignment, void* caller) {
  const std::size_t bytes = size == 0 ? 1 : size;
  void* block = alignment == 0 ? __libc_malloc(bytes) : __libc_memalign(alignment, bytes);
  if (block == nullptr) throw std::bad_alloc();
  return allocated(block, caller);
}

void* map(void* where, std::size_t size, int protection, int flags, int file, off_t offset, void* caller) {
  void* block = reinterpret_cast<void*>(syscall(SYS_mmap, where, size, protection, flags, file, offset));
  if (counting.load(std::memory_order_relaxed)) count(caller);
  if (block != MAP_FAILED && (flags & MAP_ANONYMOUS) != 0 && tracking.load(std::memory_order_relaxed))
    grow(static_cast<std::int64_t>(size));
  return block;
}

std::string object_name(void* address) {
  Dl_info info{};
  if (dladdr(address, &info) == 0 || info.dli_fname == nullptr) return "unknown";
  const std::string path = info.dli_fname;
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

namespace bench {

bool AllocationSource::is_library() const {
  for (const char* name : {"libdnnl", "libopenblas", "libblas", "libgomp", "libomp", "libmkl"})
    if (object.rfind(name, 0) == 0) return true;
  return false;
}

void start_counting() {
  for (Site& site : sites) {
    site.address = nullptr;
    site.calls = 0;
  }
  unplaced = 0;
  counting = true;
}

std::vector<AllocationSource> stop_counting() {
  counting = false;
  std::map<std::string, std::uint64_t> by_object;
  for (const Site& site : sites)
    if (site.calls != 0) by_object[object_name(site.address)] += site.calls;
  if (unplaced != 0) by_object["unknown"] += unplaced;
  std::vector<AllocationSource> sources;
  for (const auto& [object, calls] : by_object) sources.push_back({object, calls});
  return sources;
}

void start_tracking() {
  live = 0;
  peak = 0;
  tracking = true;
}

void reset_peak() { peak = live.load(); }

std::size_t peak_bytes() {
  const std::int64_t bytes = peak.load();
  return bytes < 0 ? 0 : static_cast<std::size_t>(bytes);
}

}  // namespace bench

#define CALLER __builtin_return_address(0)

extern "C" {
void* malloc(std::size_t size) { return allocated(__libc_malloc(size), CALLER); }
void* calloc(std::size_t count, std::size_t size) { return allocated(__libc_calloc(count, size), CALLER); }
void free(void* block) { release(block); }
void* memalign(std::size_t alignment, std::size_t size) {
  return allocated(__libc_memalign(alignment, size), CALLER);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return allocated(__libc_memalign(alignment, size), CALLER);
}
int posix_memalign(void** result, std::size_t alignment, std::size_t size) {
  if (alignment % sizeof(void*) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0) return EINVAL;
  void* block = allocated(__libc_memalign(alignment, size), CALLER);
  if (block == nullptr) return ENOMEM;
  *result = block;
  return 0;
}
void* realloc(void* block, std::size_t size) {
  const auto before = block == nullptr ? 0 : static_cast<std::int64_t>(malloc_usable_size(block));
  void* moved = __libc_realloc(block, size);
  if (tracking.load(std::memory_order_relaxed) && (moved != nullptr || size == 0)) live.fetch_sub(before);
  return allocated(moved, CALLER);
}
void* mmap(void* where, std::size_t size, int protection, int flags, int file, off_t offset) noexcept {
  return map(where, size, protection, flags, file, offset, CALLER);
}
void* mmap64(void* where, std::size_t size, int protection, int flags, int file, off64_t offset) noexcept {
  return map(where, size, protection, flags, file, offset, CALLER);
}
int munmap(void* where, std::size_t size) noexcept {
  if (tracking.load(std::memory_order_relaxed)) live.fetch_sub(static_cast<std::int64_t>(size));
  return static_cast<int>(syscall(SYS_munmap, where, size));
}
}

void* operator new(std::size_t size) { return allocate_or_throw(size, 0, CALLER); }
void* operator new[](std::size_t size) { return allocate_or_throw(size, 0, CALLER); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, static_cast<std::size_t>(alignment), CALLER);
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, static_cast<std::size_t>(alignment), CALLER);
}
void operator delete(void* block) noexcept { release(block); }
void operator delete[](void* block) noexcept { release(block); }
void operator delete(void* block, std::size_t) noexcept { release(block); }
void operator delete[](void* block, std::size_t) noexcept { release(block); }
void operator delete(void* block, std::align_val_t) noexcept { release(block); }
void operator delete[](void* block, std::align_val_t) noexcept { release(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { release(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { release(block); }
