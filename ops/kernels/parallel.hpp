#pragma once

#include <cstdint>
#include <type_traits>

/// Threads for kernels. Work is cut by its size and never by the number of threads, so a kernel whose chunks
/// are independent gives the same bits on any number of threads.
namespace xgrad::inline v0::kernels {

/// Number of threads that kernels may use, at least 1. Until it is set it is what OpenMP would take in a
/// program that has it (OMP_NUM_THREADS, omp_set_num_threads), else the number of processors that this
/// process may run on.
int num_threads() noexcept;

/// Sets it for the whole process; values below 1 mean 1. The OpenMP settings of the program are not touched.
void set_num_threads(int n) noexcept;

/// The place of the calling thread among those that work on the region it is in: 0 for the thread that called
/// parallel_for, and everywhere outside a region; below num_threads(). A kernel whose chunks need memory gets
/// it for so many places before its region, so that no helper has to, at a moment that nobody can tell.
int team_place() noexcept;

namespace detail {
using ChunkBody = void (*)(void* context, std::int64_t begin, std::int64_t end) noexcept;
void run_chunks(std::int64_t n, std::int64_t grain, ChunkBody body, void* context) noexcept;
}  // namespace detail

/// Calls `body(begin, end)` once for each of the chunks [0, grain), [grain, 2 grain), ... that cover [0, n),
/// in any order and on several threads. The same chunks are visited on one thread, so a body may keep one
/// partial result per chunk (its number is begin / grain). Chunks run in order on the calling thread when
/// there is one thread, when it is already inside a parallel region, ours or the caller's own of OpenMP, and
/// when another thread of the program has the helpers.
/// A body must not throw: an exception that leaves it ends the program.
template <class F>
void parallel_for(std::int64_t n, std::int64_t grain, F&& body) {
  if (n <= 0) return;
  if (grain < 1) grain = 1;
  if (n <= grain) {
    body(std::int64_t{0}, n);
    return;
  }
  using Body = std::remove_reference_t<F>;
  detail::run_chunks(
      n, grain,
      [](void* context, std::int64_t begin, std::int64_t end) noexcept {
        (*static_cast<Body*>(context))(begin, end);
      },
      const_cast<void*>(static_cast<const void*>(&body)));
}

}  // namespace xgrad::inline v0::kernels
