#include <xgrad/ops/kernels/parallel.hpp>

#include <algorithm>
#include <array>
#include <atomic>

#ifdef _OPENMP
#include <omp.h>
#endif

namespace xgrad::inline v0::kernels {
namespace {

std::atomic<int> chosen_threads{0};  // 0: not chosen yet

int default_threads() noexcept {
#ifdef _OPENMP
  return std::max(1, omp_get_max_threads());
#else
  return 1;
#endif
}

}  // namespace

int num_threads() noexcept {
  int n = chosen_threads.load(std::memory_order_relaxed);
  if (n == 0) {
    // The first caller decides: inside somebody's region OpenMP may answer differently later.
    const int fallback = default_threads();
    if (chosen_threads.compare_exchange_strong(n, fallback, std::memory_order_relaxed)) n = fallback;
  }
  return n;
}

void set_num_threads(int n) noexcept { chosen_threads.store(std::max(1, n), std::memory_order_relaxed); }

namespace detail {
namespace {

void run_serial(std::int64_t n, std::int64_t grain, ChunkBody body, void* context) noexcept {
  for (std::int64_t begin = 0; begin < n; begin += grain) {
    body(context, begin, std::min(n, begin + grain));
  }
}

#ifdef _OPENMP
constexpr int max_team = 128;

// Chunks that one thread starts with. It takes them in order, so that it meets the same data in the next
// kernel, and then helps the others with theirs.
struct alignas(64) Share {
  std::atomic<std::int64_t> next;
  std::int64_t end;
};

void run_team(std::int64_t n, std::int64_t grain, ChunkBody body, void* context, int team) noexcept {
  const std::int64_t chunks = (n + grain - 1) / grain;
  std::array<Share, max_team> shares;
  for (int t = 0; t < team; ++t) {
    shares[static_cast<std::size_t>(t)].next.store(chunks * t / team, std::memory_order_relaxed);
    shares[static_cast<std::size_t>(t)].end = chunks * (t + 1) / team;
  }
  // OpenMP may give fewer threads than asked for: the shares of the missing ones are helped with too.
#pragma omp parallel num_threads(team)
  {
    const int self = omp_get_thread_num();
    for (int k = 0; k < team; ++k) {
      Share& share = shares[static_cast<std::size_t>((self + k) % team)];
      for (;;) {
        const std::int64_t chunk = share.next.fetch_add(1, std::memory_order_relaxed);
        if (chunk >= share.end) break;
        body(context, chunk * grain, std::min(n, (chunk + 1) * grain));
      }
    }
  }
}
#endif

}  // namespace

void run_chunks(std::int64_t n, std::int64_t grain, ChunkBody body, void* context) noexcept {
#ifdef _OPENMP
  const std::int64_t chunks = (n + grain - 1) / grain;
  const int team = static_cast<int>(std::min<std::int64_t>({num_threads(), chunks, max_team}));
  if (team > 1 && !omp_in_parallel()) {
    run_team(n, grain, body, context, team);
    return;
  }
#endif
  run_serial(n, grain, body, context);
}

}  // namespace detail
}  // namespace xgrad::inline v0::kernels
