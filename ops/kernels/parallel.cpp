#include <xgrad/ops/kernels/parallel.hpp>

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <system_error>
#include <thread>

#include <xgrad/ops/kernels/openmp.hpp>

/// The team of threads is our own and not OpenMP's, whose regions end when every thread of the team has
/// arrived: beside another program that keeps the processors busy, one that waits for its turn holds up the
/// others for a time slice in each of the hundreds of regions of a training step (ten times as slow as one
/// thread, measured). Here a region ends when its chunks are done, whoever did them, and waits only for a
/// thread that is in the middle of one.
namespace xgrad::inline v0::kernels {
namespace {

std::atomic<int> chosen_threads{0};  // 0: not chosen yet

int default_threads() noexcept {
  if (const int n = openmp::max_threads(); n > 0) return n;
#ifdef __linux__
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof mask, &mask) == 0) return std::max(1, CPU_COUNT(&mask));
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
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

constexpr int max_team = 128;

/// Whether this thread works on a chunk: what it starts then stays with it.
constinit thread_local bool in_chunk = false;
/// A helper's number; 0 for every other thread.
constinit thread_local int place = 0;

void run_serial(std::int64_t n, std::int64_t grain, ChunkBody body, void* context) noexcept {
  for (std::int64_t begin = 0; begin < n; begin += grain) {
    body(context, begin, std::min(n, begin + grain));
  }
}

void pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Chunks that one thread starts with. It takes them in order, so that it meets the same data in the next
/// kernel, and then helps the others with theirs.
struct alignas(64) Share {
  std::atomic<std::int64_t> next;
  std::int64_t end;
};

/// One call of parallel_for. It lives on the stack of its caller, who takes it off the board and waits until
/// everybody has let go of it before he returns.
struct Region {
  std::int64_t n, grain;
  ChunkBody body;
  void* context;
  int team;
  std::array<Share, max_team> shares;

  Region(std::int64_t n_, std::int64_t grain_, ChunkBody body_, void* context_, int team_) noexcept
      : n(n_), grain(grain_), body(body_), context(context_), team(team_) {
    const std::int64_t chunks = (n + grain - 1) / grain;
    for (int t = 0; t < team; ++t) {
      Share& share = shares[static_cast<std::size_t>(t)];
      share.next.store(chunks * t / team, std::memory_order_relaxed);
      share.end = chunks * (t + 1) / team;
    }
  }

  void work(int self) noexcept {
    for (int k = 0; k < team; ++k) {
      Share& share = shares[static_cast<std::size_t>((self + k) % team)];
      while (share.next.load(std::memory_order_relaxed) < share.end) {
        const std::int64_t chunk = share.next.fetch_add(1, std::memory_order_relaxed);
        if (chunk >= share.end) break;
        body(context, chunk * grain, std::min(n, (chunk + 1) * grain));
      }
    }
  }
};

class Team {
 public:
  /// The process's one. Never destroyed: its threads may still be asleep when the program's statics go.
  static Team& instance() noexcept {
    static const bool watching = pthread_atfork(nullptr, nullptr, forget) == 0;
    static_cast<void>(watching);
    return *current().load(std::memory_order_acquire);
  }

  /// Runs the region, with as many helpers as there are. False if another thread of the program has the team.
  bool run(Region& region) noexcept {
    const std::unique_lock lock(callers_, std::try_to_lock);
    if (!lock) return false;
    hire(region.team - 1);
    board_.store(&region, std::memory_order_seq_cst);
    news_.fetch_add(1, std::memory_order_seq_cst);
    if (asleep_.load(std::memory_order_seq_cst) > 0) news_.notify_all();
    region.work(0);
    // A helper says that it is inside before it looks at the board, so after this nobody new sees the region.
    board_.store(nullptr, std::memory_order_seq_cst);
    for (int i = 0; inside_.load(std::memory_order_seq_cst) != 0; ++i) {
      if (i < 2000)
        pause();
      else
        std::this_thread::yield();  // whoever it is may be waiting for this processor
    }
    return true;
  }

 private:
  /// Helpers of a forked process stayed with its parent: the child starts with none.
  static void forget() noexcept { current().store(new Team, std::memory_order_release); }

  /// Starts helpers until there are `count`. There may be fewer where the system gives no more threads.
  void hire(int count) noexcept {
    if (helpers_ >= count) return;
    // Signals are the program's own business.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      for (; helpers_ < count; ++helpers_) std::thread(&Team::help, this, helpers_ + 1).detach();
    } catch (const std::system_error&) {
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  [[noreturn]] void help(int self) noexcept {
    in_chunk = true;
    place = self;
    std::uint32_t seen = 0;
    for (;;) {
      seen = wait_for_news(seen);
      inside_.fetch_add(1, std::memory_order_seq_cst);
      Region* region = board_.load(std::memory_order_seq_cst);
      if (region != nullptr && self < region->team) region->work(self);
      inside_.fetch_sub(1, std::memory_order_release);
    }
  }

  /// Regions of a training step follow each other within microseconds, and waking a thread takes a hundred of
  /// them, three hundred in a virtual machine: so a helper that is done keeps looking for the next region for
  /// a while, at first without pause, then giving the processor to whoever wants it, and only then goes to
  /// sleep.
  std::uint32_t wait_for_news(std::uint32_t seen) noexcept {
    using Clock = std::chrono::steady_clock;
    constexpr std::chrono::microseconds eager{50}, patience{2000};
    const auto start = Clock::now();
    for (auto waited = Clock::duration::zero(); waited < patience; waited = Clock::now() - start) {
      for (int i = 0; i < 64; ++i) {
        if (const std::uint32_t now = news_.load(std::memory_order_acquire); now != seen) return now;
        pause();
      }
      if (waited > eager) std::this_thread::yield();
    }
    asleep_.fetch_add(1, std::memory_order_seq_cst);
    news_.wait(seen, std::memory_order_seq_cst);
    asleep_.fetch_sub(1, std::memory_order_relaxed);
    return news_.load(std::memory_order_acquire);
  }

  static std::atomic<Team*>& current() noexcept {
    static std::atomic<Team*> team{new Team};
    return team;
  }

  std::mutex callers_;  // held by the thread whose region runs
  int helpers_ = 0;
  alignas(64) std::atomic<Region*> board_{nullptr};
  std::atomic<std::uint32_t> news_{0};  // how many regions there have been
  std::atomic<int> asleep_{0};
  alignas(64) std::atomic<int> inside_{0};  // helpers that may hold the region of the board
};

}  // namespace

void run_chunks(std::int64_t n, std::int64_t grain, ChunkBody body, void* context) noexcept {
  const std::int64_t chunks = (n + grain - 1) / grain;
  const int team = static_cast<int>(std::min<std::int64_t>({num_threads(), chunks, max_team}));
  if (team > 1 && !in_chunk && !openmp::in_parallel()) {
    Region region(n, grain, body, context, team);
    in_chunk = true;
    const bool done = Team::instance().run(region);
    in_chunk = false;
    if (done) return;
  }
  run_serial(n, grain, body, context);
}

}  // namespace detail

int team_place() noexcept { return detail::place; }

}  // namespace xgrad::inline v0::kernels
