#include <xgrad/ops/kernels/parallel.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"

namespace {

using namespace xgrad;
using Chunk = std::pair<std::int64_t, std::int64_t>;

struct ThreadsGuard {
  int before = kernels::num_threads();
  ~ThreadsGuard() { kernels::set_num_threads(before); }
};

std::multiset<Chunk> chunks_of(std::int64_t n, std::int64_t grain) {
  std::mutex mutex;
  std::multiset<Chunk> chunks;
  kernels::parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
    const std::lock_guard lock(mutex);
    chunks.emplace(begin, end);
  });
  return chunks;
}

std::multiset<Chunk> expected_chunks(std::int64_t n, std::int64_t grain) {
  std::multiset<Chunk> chunks;
  for (std::int64_t b = 0; b < n; b += grain) chunks.emplace(b, b + grain < n ? b + grain : n);
  return chunks;
}

}  // namespace

TEST_CASE("parallel_for cuts by size and never by the number of threads") {
  const ThreadsGuard guard;
  for (const int threads : {1, 2, 3, 4, 8}) {
    kernels::set_num_threads(threads);
    for (const std::int64_t n : {0, 1, 2, 63, 64, 65, 1000}) {
      for (const std::int64_t grain : {1, 7, 64, 2000}) {
        CAPTURE(threads, n, grain);
        CHECK(chunks_of(n, grain) == expected_chunks(n, grain));
      }
    }
  }
}

TEST_CASE("parallel_for on one thread runs the chunks in order on the caller") {
  const ThreadsGuard guard;
  kernels::set_num_threads(1);
  std::vector<std::int64_t> begins;
  const auto caller = std::this_thread::get_id();
  kernels::parallel_for(10, 3, [&](std::int64_t begin, std::int64_t) {
    CHECK(std::this_thread::get_id() == caller);
    begins.push_back(begin);
  });
  CHECK(begins == std::vector<std::int64_t>{0, 3, 6, 9});
}

TEST_CASE("a parallel_for inside a parallel_for stays on its thread and still visits every chunk") {
  const ThreadsGuard guard;
  kernels::set_num_threads(2);
  std::atomic<std::int64_t> visited{0};
  std::atomic<bool> moved{false};
  kernels::parallel_for(8, 1, [&](std::int64_t, std::int64_t) {
    const auto self = std::this_thread::get_id();
    kernels::parallel_for(100, 10, [&](std::int64_t begin, std::int64_t end) {
      if (std::this_thread::get_id() != self) moved = true;
      visited += end - begin;
    });
  });
  CHECK(visited == 800);
  CHECK_FALSE(moved);
}

TEST_CASE("parallel_for works from several std::threads at once") {
  const ThreadsGuard guard;
  kernels::set_num_threads(2);
  std::vector<std::int64_t> sums(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < sums.size(); ++t) {
    threads.emplace_back([&sums, t] {
      for (int round = 0; round < 50; ++round) {
        std::vector<std::int64_t> partial(20, 0);
        kernels::parallel_for(200, 10, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) partial[static_cast<std::size_t>(begin / 10)] += i;
        });
        for (const std::int64_t p : partial) sums[t] += p;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::int64_t sum : sums) CHECK(sum == 50 * 19900);
}

TEST_CASE("a parallel_for ends when its chunks are done, though another program has the processors") {
  const ThreadsGuard guard;
  kernels::set_num_threads(8);
  // More threads than processors, which never rest: a helper may not run for long, and is not waited for.
  std::atomic<bool> stop{false};
  std::vector<std::thread> others;
  for (unsigned t = 0; t < 2 * std::thread::hardware_concurrency(); ++t) {
    others.emplace_back([&] {
      while (!stop) {
      }
    });
  }
  std::int64_t visited = 0;
  for (int round = 0; round < 200; ++round) {
    std::atomic<std::int64_t> sum{0};
    kernels::parallel_for(64, 1, [&](std::int64_t begin, std::int64_t) { sum += begin; });
    visited += sum;
  }
  stop = true;
  for (std::thread& other : others) other.join();
  CHECK(visited == 200 * (64 * 63 / 2));
}

#ifndef __SANITIZE_THREAD__  // which allows a forked process no threads
TEST_CASE("a forked process has helpers of its own") {
  const ThreadsGuard guard;
  kernels::set_num_threads(2);
  const auto sum_of_chunks = [] {
    std::atomic<std::int64_t> sum{0};
    kernels::parallel_for(1000, 1, [&](std::int64_t begin, std::int64_t) { sum += begin; });
    return sum.load();
  };
  REQUIRE(sum_of_chunks() == 499500);
  const pid_t child = fork();
  if (child == 0) _exit(sum_of_chunks() == 499500 ? 0 : 1);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}
#endif

#ifdef _OPENMP
TEST_CASE("within somebody's OpenMP region a parallel_for stays on its thread") {
  const ThreadsGuard guard;
  kernels::set_num_threads(2);
  std::atomic<int> moved{0};
  std::atomic<std::int64_t> visited{0};
#pragma omp parallel num_threads(2)
  {
    const auto self = std::this_thread::get_id();
    kernels::parallel_for(100, 10, [&](std::int64_t begin, std::int64_t end) {
      if (std::this_thread::get_id() != self) ++moved;
      visited += end - begin;
    });
  }
  CHECK(moved == 0);
  CHECK(visited == 200);
}
#endif

TEST_CASE("the number of threads is at least one") {
  const ThreadsGuard guard;
  kernels::set_num_threads(-3);
  CHECK(kernels::num_threads() == 1);
  kernels::set_num_threads(5);
  CHECK(kernels::num_threads() == 5);
}
